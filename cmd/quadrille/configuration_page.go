package main

import (
	_ "embed" // the words before the tables
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/quadrille-platform/quadrille/pkg/service"
)

// intro is what stands before the tables.
//
//go:embed configuration_intro.md
var intro string

const standard = "https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/"

// opentelemetry are the standard variables that telemetry.Start and the exporter that it makes read.
var opentelemetry = [][2]string{
	{"OTEL_EXPORTER_OTLP_ENDPOINT", "Where traces go, such as `http://127.0.0.1:4318`. Without it, or the next one, " +
		"none are exported; logs and events carry their ids all the same."},
	{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "The same with its path, `http://127.0.0.1:4318/v1/traces`."},
	{"OTEL_EXPORTER_OTLP_HEADERS, OTEL_EXPORTER_OTLP_TRACES_HEADERS",
		"Headers of each export, `name=value,…`. **Secret.**"},
	{"OTEL_EXPORTER_OTLP_TIMEOUT, OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "Bound of an export in milliseconds; 10000."},
	{"OTEL_EXPORTER_OTLP_COMPRESSION, OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "`gzip` or `none`."},
	{"OTEL_EXPORTER_OTLP_CERTIFICATE, …_CLIENT_CERTIFICATE, …_CLIENT_KEY", "Files for TLS, with `https://`."},
	{"OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES", "What the process calls itself, above what it would say."},
	{"OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG", "Which traces are recorded: `always_on`, " +
		"`always_off` or `traceidratio`, or one of these behind `parentbased_`; `parentbased_always_on`. It decides " +
		"where a trace begins; messages follow theirs, see [tracing](tracing.md#sampling)."},
	{"OTEL_BSP_SCHEDULE_DELAY, OTEL_BSP_EXPORT_TIMEOUT, OTEL_BSP_MAX_QUEUE_SIZE, OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
		"Batches of spans."},
	{"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT and the other OTEL_SPAN_… limits", "How much a span may hold."},
}

func writeMarkdown(to io.Writer) error {
	var page strings.Builder
	page.WriteString(intro)
	common, _ := split(services[0])
	variables(&page, "Every service", common)
	for _, e := range services {
		_, own := split(e)
		variables(&page, "The "+e.name+" service", own)
	}
	commands(&page)
	table(&page, "OpenTelemetry", "variable", "what it says")
	for _, row := range opentelemetry {
		fmt.Fprintf(&page, "| %s | %s |\n", code(row[0]), row[1])
	}
	page.WriteString("\nThese of the [standard ones](" + standard + ")\nare honoured: traces go by OTLP over HTTP. " +
		"Metrics are not pushed; `/metrics` on the admin listener has them.\n")
	_, err := io.WriteString(to, page.String())
	return err
}

func variables(page *strings.Builder, title string, rows []service.Variable) {
	table(page, title, "variable", "default", "what it says")
	for _, v := range rows {
		doc := v.Doc
		if v.Secret {
			doc += " **Secret.**"
		}
		fmt.Fprintf(page, "| %s | %s | %s |\n", code(v.Name), code(v.Default), escaped(doc))
	}
}

// commands lists the variables that stand for a flag, each once.
func commands(page *strings.Builder) {
	all := flags()
	table(page, "The commands", "variable", "default", "of `quadrille …`", "what it says")
	var told []string
	for _, f := range all {
		if slices.Contains(told, f.variable) {
			continue
		}
		told = append(told, f.variable)
		var of []string
		for _, other := range all {
			if other.variable == f.variable {
				of = append(of, code(other.command))
			}
		}
		fmt.Fprintf(page, "| %s | %s | %s | %s |\n", code(f.variable), code(f.fallback),
			strings.Join(slices.Compact(of), ", "), escaped(f.help))
	}
}

func table(page *strings.Builder, title string, columns ...string) {
	fmt.Fprintf(page, "\n## %s\n\n| %s |\n|%s\n", title, strings.Join(columns, " | "),
		strings.Repeat("---|", len(columns)))
}

// code puts a cell in backquotes, each name of a list by itself.
func code(text string) string {
	if text == "" {
		return ""
	}
	if first, rest, several := strings.Cut(text, ", "); several {
		return code(first) + ", " + code(rest)
	}
	if first, rest, told := strings.Cut(text, " and "); told {
		return code(first) + " and " + rest
	}
	return "`" + text + "`"
}

// escaped keeps a text within its cell.
func escaped(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
