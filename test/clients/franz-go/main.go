// franz-go, told what to do in lines of JSON. See ../child-client.ts for the other end.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const waitTime = 30 * time.Second
const lineBytesMax = 64 << 20

// The client's own word for an API that the broker does not tell of, which it gives no name.
const tooOld = "broker is too old"

type record struct {
	Key         *string     `json:"key"`
	Value       *string     `json:"value"`
	Headers     [][2]string `json:"headers"`
	TimestampMs int64       `json:"timestampMs"`
}

type step struct {
	Do              string            `json:"do"`
	Topic           string            `json:"topic"`
	Partition       *int32            `json:"partition"`
	Partitions      *int32            `json:"partitions"`
	Replicas        int16             `json:"replicas"`
	Configs         map[string]string `json:"configs"`
	Names           []string          `json:"names"`
	Without         []string          `json:"without"`
	Set             map[string]string `json:"set"`
	Unset           []string          `json:"unset"`
	Total           int               `json:"total"`
	At              any               `json:"at"`
	Before          int64             `json:"before"`
	Records         []record          `json:"records"`
	Codec           string            `json:"codec"`
	Acks            any               `json:"acks"`
	Idempotent      bool              `json:"idempotent"`
	From            any               `json:"from"`
	Count           int               `json:"count"`
	Reset           string            `json:"reset"`
	FetchBytes      int32             `json:"fetchBytes"`
	Group           string            `json:"group"`
	Offsets         map[string]int64  `json:"offsets"`
	TransactionalID string            `json:"transactionalId"`
	Value           string            `json:"value"`
	Principal       string            `json:"principal"`
	Assignor        string            `json:"assignor"`
	InstanceID      string            `json:"instanceId"`
	Protocol        string            `json:"protocol"`
	Joined          int               `json:"joined"`
}

type request struct {
	ID        int    `json:"id"`
	Bootstrap string `json:"bootstrap"`
	Step      step   `json:"step"`
}

type refusal struct {
	Code    int16  `json:"code"`
	Name    string `json:"name"`
	Message string `json:"message"`
}

var output sync.Mutex

func say(message any) {
	line, err := json.Marshal(message)
	if err != nil {
		panic(err)
	}
	output.Lock()
	defer output.Unlock()
	os.Stdout.Write(append(line, '\n'))
}

var shared = struct {
	sync.Mutex
	clients map[string]*kgo.Client
	admins  map[string]*kadm.Client
}{clients: map[string]*kgo.Client{}, admins: map[string]*kadm.Client{}}

func admin(bootstrap string) *kadm.Client {
	shared.Lock()
	defer shared.Unlock()
	if shared.admins[bootstrap] == nil {
		// An administrator wants to know what is so now, not what was a moment ago.
		client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.MetadataMinAge(10*time.Millisecond))
		if err != nil {
			panic(err)
		}
		shared.clients[bootstrap] = client
		shared.admins[bootstrap] = kadm.NewClient(client)
	}
	return shared.admins[bootstrap]
}

func clientOf(bootstrap string) *kgo.Client {
	admin(bootstrap)
	shared.Lock()
	defer shared.Unlock()
	return shared.clients[bootstrap]
}

type action func(ctx context.Context, bootstrap string, s step, id int) (any, error)

var actions = map[string]action{
	"createTopic":     createTopic,
	"deleteTopic":     deleteTopic,
	"describeTopic":   describeTopic,
	"describeConfigs": describeConfigs,
	"alterConfigs":    alterConfigs,
	"addPartitions":   addPartitions,
	"listOffsets":     listOffsets,
	"deleteRecords":   deleteRecords,
	"produce":         produce,
	"consume":         consume,
	"describeGroup":   describeGroup,
	"listGroups":      listGroups,
	"committed":       committed,
	"commit":          commit,
	"deleteGroup":     deleteGroup,
	"transact":        transact,
	"createAcl":       createAcl,
	"deleteOffsets":   deleteOffsets,
	"producers":       producers,
	"logBytes":        logBytes,
	"join":            join,
	"leave":           leave,
}

func work(asked request) {
	defer func() {
		if problem := recover(); problem != nil {
			say(map[string]any{"id": asked.ID, "failed": fmt.Sprint(problem)})
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), waitTime)
	defer cancel()
	answer, err := actions[asked.Step.Do](ctx, asked.Bootstrap, asked.Step, asked.ID)
	var kafka *kerr.Error
	switch {
	case err == nil:
		say(map[string]any{"id": asked.ID, "answer": answer})
	case errors.As(err, &kafka):
		said := refusal{kafka.Code, kafka.Message, messageOf(err)}
		say(map[string]any{"id": asked.ID, "refused": said})
	case strings.Contains(err.Error(), tooOld):
		say(map[string]any{"id": asked.ID, "refused": refusal{Code: kerr.UnsupportedVersion.Code}})
	default:
		say(map[string]any{"id": asked.ID, "failed": err.Error()})
	}
}

// What the broker says beside the error's code.
type explained struct {
	cause   error
	message string
}

func (e explained) Error() string { return e.message }
func (e explained) Unwrap() error { return e.cause }

func explain(err error, message string) error {
	if err == nil || message == "" {
		return err
	}
	return explained{err, message}
}

func messageOf(err error) string {
	var said explained
	if errors.As(err, &said) {
		return said.message
	}
	return ""
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 0, 1<<20), lineBytesMax)
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		go work(asked)
	}
}
