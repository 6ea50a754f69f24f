package serde_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/quadrille-platform/quadrille/pkg/serde"
)

func framed(id uint32, body ...byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, id), body...)
}

// giftSchema is that of a type which no codec here knows.
const giftSchema = `{"type":"record","name":"Gift","namespace":"shop","fields":[]}`

func TestDecodeTellsErrorsApart(t *testing.T) {
	registry, client := start(t)
	codec := open(t, client, purchaseType)
	good := encode(t, codec, sample())
	huge := append(bytes.Clone(good), make([]byte, serde.MaxSize)...)
	seed := func(id int, subject, schema string, kind sr.SchemaType) uint32 {
		registry.SeedSchema(subject, 1, id, sr.Schema{Schema: schema, Type: kind})
		return uint32(id)
	}
	stranger := seed(101, "shop.events-shop.Gift", giftSchema, 0)
	namesake := seed(102, "b", `{"type":"record","name":"Purchase","namespace":"elsewhere","fields":[]}`, 0)
	number := seed(103, "c", `"long"`, 0)
	unreadable := seed(104, "d", `{"type":"record","name":"Purchase","namespace":"shop","fields":[]}`, 0)
	protobuf := seed(105, "e", `syntax = "proto3";`, sr.TypeProtobuf)

	kinds := []error{serde.ErrMalformed, serde.ErrUnknownSchema, serde.ErrUnknownType, serde.ErrUnavailable}
	tests := map[string]struct {
		topic string
		value []byte
		want  error
	}{
		"nothing":                       {topic, nil, serde.ErrMalformed},
		"half a frame":                  {topic, good[:4], serde.ErrMalformed},
		"another magic byte":            {topic, append([]byte{1}, good[1:]...), serde.ErrMalformed},
		"a byte too many":               {topic, append(bytes.Clone(good), 0), serde.ErrMalformed},
		"larger than any event":         {topic, huge, serde.ErrMalformed},
		"our type on another topic":     {"other.events", good, serde.ErrMalformed},
		"schema id 0":                   {topic, framed(0), serde.ErrMalformed},
		"a schema id no registry gives": {topic, framed(1 << 31), serde.ErrMalformed},
		"a schema id that is not there": {topic, framed(999), serde.ErrUnknownSchema},
		"an event type of a later day":  {topic, framed(stranger), serde.ErrUnknownType},
		"a namesake in another space":   {topic, framed(namesake), serde.ErrUnknownType},
		"a schema that is no record":    {topic, framed(number, 2), serde.ErrMalformed},
		"a version we cannot read":      {topic, framed(unreadable), serde.ErrMalformed},
		"a schema that is not Avro":     {topic, framed(protobuf), serde.ErrMalformed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, data, err := codec.Decode(t.Context(), test.topic, test.value)
			if !errors.Is(err, test.want) || data != nil {
				t.Errorf("got %v and %v, want %v", data, err, test.want)
			}
			for _, other := range kinds {
				if errors.Is(err, other) && !errors.Is(test.want, other) {
					t.Errorf("%v is %v too", err, other)
				}
			}
		})
	}
	if got, _, _ := codec.Decode(t.Context(), topic, framed(stranger)); got.Name != "shop.Gift" {
		t.Errorf("the unknown type is named %q", got.Name)
	}
}

func TestNoTruncationDecodes(t *testing.T) {
	_, client := start(t)
	codec := open(t, client, purchaseType)
	good := encode(t, codec, sample())
	for n := range good {
		if _, _, err := codec.Decode(t.Context(), topic, good[:n]); !errors.Is(err, serde.ErrMalformed) {
			t.Errorf("G8: a record that was cut off is read: %d of %d bytes: %v", n, len(good), err)
		}
	}
}

// encodeElsewhere returns what a writer with a schema of another id writes, which has to be fetched.
func encodeElsewhere(t *testing.T, registry *srfake.Registry, codec *serde.Codec) []byte {
	t.Helper()
	const id = 78
	registry.SeedSchema("elsewhere", 1, id, sr.Schema{Schema: purchaseSchema})
	value := encode(t, codec, sample())
	binary.BigEndian.PutUint32(value[1:], id)
	return value
}

func TestWhatWasRegisteredBeforeIsReadWithoutTheRegistry(t *testing.T) {
	registry, client := start(t)
	const earlier, other = 77, 78
	registry.SeedSchema(purchaseType.Subject(), 1, earlier, sr.Schema{Schema: strings.Replace(purchaseSchema,
		`{"name":"by_hand","type":"boolean","default":false},`, "", 1)})
	registry.SeedSchema(topic+"-shop.Gift", 1, other, sr.Schema{Schema: giftSchema})
	registry.SeedSchema(topic+"-shop.Note", 1, 79, sr.Schema{Schema: `syntax = "proto3";`, Type: sr.TypeProtobuf})
	codec := open(t, client, purchaseType)
	value := encode(t, codec, sample())
	registry.Close()

	if _, _, err := codec.Decode(t.Context(), topic, value); err != nil {
		t.Errorf("the newest version: %v", err)
	}
	binary.BigEndian.PutUint32(value[1:], other)
	if _, _, err := codec.Decode(t.Context(), topic, value); !errors.Is(err, serde.ErrUnknownType) {
		t.Errorf("a type of no interest: %v", err)
	}
	binary.BigEndian.PutUint32(value[1:], earlier) // which has one field less: the bytes are not its own
	if _, _, err := codec.Decode(t.Context(), topic, value); errors.Is(err, serde.ErrUnavailable) {
		t.Errorf("an earlier version: %v", err)
	}
}

func TestASchemaThatIsDeletedIsReadWithoutTheRegistry(t *testing.T) {
	registry, client := start(t)
	subject := topic + "-shop.Gift"
	registry.SeedSchema(subject, 1, 78, sr.Schema{Schema: giftSchema})
	if _, err := client.DeleteSubject(t.Context(), subject, sr.SoftDelete); err != nil {
		t.Fatal(err)
	}
	codec := open(t, client, purchaseType)
	value := encode(t, codec, sample())
	registry.Close()
	binary.BigEndian.PutUint32(value[1:], 78)
	if _, _, err := codec.Decode(t.Context(), topic, value); !errors.Is(err, serde.ErrUnknownType) {
		t.Error(err)
	}
}

func TestWhatCannotBeReadYetKeepsNobodyFromStarting(t *testing.T) {
	registry, client := start(t)
	registry.SeedSchema(topic+"-shop.Gift", 1, 78, sr.Schema{Schema: giftSchema})
	registry.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/subjects/"+topic+"-shop.Gift/") {
			return false
		}
		http.Error(w, `{"error_code":42901,"message":"slower"}`, http.StatusTooManyRequests)
		return true
	})
	codec := open(t, client, purchaseType)
	if err := codec.Unlearnt(); err == nil || !strings.Contains(err.Error(), "shop.Gift") {
		t.Errorf("it says %v", err)
	}
	if _, _, err := codec.Decode(t.Context(), topic, encode(t, codec, sample())); err != nil {
		t.Error(err)
	}
}

func TestASchemaIsFetchedOnceHoweverManyAsk(t *testing.T) {
	registry, client := start(t)
	codec := open(t, client, purchaseType)
	value := encodeElsewhere(t, registry, codec)
	var asked atomic.Int32
	held := make(chan struct{})
	registry.Intercept(func(http.ResponseWriter, *http.Request) bool {
		asked.Add(1)
		<-held
		return false
	})

	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if _, _, err := codec.Decode(t.Context(), topic, value); err != nil {
				t.Error(err)
			}
		})
	}
	close(held)
	group.Wait()
	if asked.Load() != 1 {
		t.Errorf("the registry was asked %d times", asked.Load())
	}
}

func TestACallerThatGivesUpDoesNotFailTheOthers(t *testing.T) {
	registry, client := start(t)
	codec := open(t, client, purchaseType)
	value := encodeElsewhere(t, registry, codec)
	arrived, held := make(chan struct{}), make(chan struct{})
	first := sync.OnceFunc(func() { close(arrived) })
	registry.Intercept(func(http.ResponseWriter, *http.Request) bool {
		first()
		<-held
		return false
	})

	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, _, err := codec.Decode(ctx, topic, value)
		left <- err
	}()
	<-arrived
	stayed := make(chan error)
	go func() {
		_, _, err := codec.Decode(t.Context(), topic, value)
		stayed <- err
	}()
	cancel()
	if err := <-left; !errors.Is(err, serde.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up got %v", err)
	}
	close(held)
	if err := <-stayed; err != nil {
		t.Errorf("who stayed got %v", err)
	}
}

func TestAnUnknownIDIsAskedForAgainAfterAMoment(t *testing.T) {
	registry, client := start(t)
	codec := open(t, client, purchaseType)
	value := encode(t, codec, sample())
	binary.BigEndian.PutUint32(value[1:], 77)
	var asked atomic.Int32
	registry.Intercept(func(http.ResponseWriter, *http.Request) bool { asked.Add(1); return false })
	began := time.Now()
	for range 50 {
		if _, _, err := codec.Decode(t.Context(), topic, value); !errors.Is(err, serde.ErrUnknownSchema) {
			t.Fatal(err)
		}
	}
	if most := 2 + int32(time.Since(began)/time.Second); asked.Load() > most {
		t.Errorf("50 events of an unknown schema asked the registry %d times", asked.Load())
	}
	registry.SeedSchema("late", 1, 77, sr.Schema{Schema: purchaseSchema})
	for {
		_, _, err := codec.Decode(t.Context(), topic, value)
		if err == nil {
			break
		}
		if !errors.Is(err, serde.ErrUnknownSchema) || time.Since(began) > time.Minute {
			t.Fatal(err)
		}
		<-time.After(10 * time.Millisecond)
	}
}

func TestARegistryThatFailsIsNotAnUnknownSchema(t *testing.T) {
	tests := map[string]srfake.Interceptor{
		"it fails":                    answer(http.StatusInternalServerError, `{"error_code":50001,"message":"no"}`),
		"it wants a password":         answer(http.StatusUnauthorized, `{"error_code":401,"message":"who?"}`),
		"it sends nonsense":           answer(http.StatusOK, `<html>`),
		"the path is somebody else's": answer(http.StatusNotFound, `404 page not found`),
	}
	for name, interceptor := range tests {
		t.Run(name, func(t *testing.T) {
			registry, client := start(t)
			codec := open(t, client, purchaseType)
			value := encodeElsewhere(t, registry, codec)

			registry.Intercept(interceptor)
			if _, _, err := codec.Decode(t.Context(), topic, value); !errors.Is(err, serde.ErrUnavailable) {
				t.Errorf("got %v", err)
			}
			registry.ClearInterceptors()
			if _, _, err := codec.Decode(t.Context(), topic, value); err != nil {
				t.Errorf("once it answers: %v", err)
			}
		})
	}
}

func TestAnAnswerWithoutEndIsCutOffAndRemembered(t *testing.T) {
	registry, client := start(t)
	codec := open(t, client, purchaseType)
	value := encodeElsewhere(t, registry, codec)
	var asked atomic.Int32
	registry.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		asked.Add(1)
		_, err := w.Write([]byte(`{"schema":"`))
		for err == nil {
			_, err = w.Write(bytes.Repeat([]byte("a"), 1<<16))
		}
		return true
	})
	for range 2 {
		if _, _, err := codec.Decode(t.Context(), topic, value); !errors.Is(err, serde.ErrMalformed) {
			t.Errorf("got %v", err)
		}
	}
	if asked.Load() != 1 {
		t.Errorf("the registry was asked %d times", asked.Load())
	}
}

func answer(status int, body string) srfake.Interceptor {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
		return true
	}
}
