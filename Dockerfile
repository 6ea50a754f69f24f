# The images of the platform. COMMAND names the one: order, inventory, payment, notification, or quadrille, the tool that
# has gateway, mailbox and the tasks of operation. All are built by one stage, so that they share what is compiled.
#
#   docker build --build-arg COMMAND=order --build-arg VERSION=1.4.2 --build-arg REVISION="$(git rev-parse HEAD)" .

FROM golang:1.26 AS build
WORKDIR /src
COPY . .
ARG VERSION=dev
ARG REVISION=unknown
# An empty folder too: a volume takes the owner of what it is mounted over.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    mkdir -p /out/bin /out/data && \
    CGO_ENABLED=0 go build -trimpath -buildvcs=false -gcflags=all=-dwarf=false \
        -ldflags "-s -w -X main.version=${VERSION} -X main.revision=${REVISION}" \
        -o /out/bin/ ./cmd/quadrille ./services/*/cmd/*

FROM gcr.io/distroless/static-debian12:nonroot
ARG COMMAND
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="quadrille ${COMMAND}" \
      org.opencontainers.image.description="A reference platform for event-driven microservices on Kafka" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build /out/bin/${COMMAND} /app
USER 65532:65532
WORKDIR /data
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["/app", "healthcheck"]
ENTRYPOINT ["/app"]
