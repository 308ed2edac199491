package main

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func describeGroup(ctx context.Context, bootstrap string, s step, _ int) (any, error) {
	described, err := admin(bootstrap).DescribeGroups(ctx, s.Group)
	if err != nil {
		return nil, err
	}
	group := described[s.Group]
	if group.Err != nil {
		return nil, group.Err
	}
	assigned := [][]int32{}
	for _, member := range group.Members {
		held := []int32{}
		if consumer, known := member.Assigned.AsConsumer(); known {
			for _, topic := range consumer.Topics {
				held = append(held, topic.Partitions...)
			}
		}
		slices.Sort(held)
		assigned = append(assigned, held)
	}
	slices.SortFunc(assigned, slices.Compare)
	return map[string]any{"state": group.State, "members": len(group.Members), "assigned": assigned}, nil
}

func listGroups(ctx context.Context, bootstrap string, s step, _ int) (any, error) {
	listed, err := admin(bootstrap).ListGroups(ctx)
	if err != nil {
		return nil, err
	}
	_, known := listed[s.Group]
	return known, nil
}

func committed(ctx context.Context, bootstrap string, s step, _ int) (any, error) {
	found, err := admin(bootstrap).FetchOffsets(ctx, s.Group)
	if err != nil {
		return nil, err
	}
	offsets := map[string]int64{}
	for partition := range *s.Partitions {
		offsets[strconv.Itoa(int(partition))] = -1
		if one, known := found.Lookup(s.Topic, partition); known {
			if one.Err != nil {
				return nil, one.Err
			}
			offsets[strconv.Itoa(int(partition))] = one.At
		}
	}
	return offsets, nil
}

func commit(ctx context.Context, bootstrap string, s step, _ int) (any, error) {
	wanted := kadm.Offsets{}
	for partition, offset := range s.Offsets {
		number, err := strconv.Atoi(partition)
		if err != nil {
			return nil, err
		}
		wanted.AddOffset(s.Topic, int32(number), offset, -1)
	}
	answers, err := admin(bootstrap).CommitOffsets(ctx, s.Group, wanted)
	if err != nil {
		return nil, err
	}
	return "done", answers.Error()
}

func deleteGroup(ctx context.Context, bootstrap string, s step, _ int) (any, error) {
	deleted, err := admin(bootstrap).DeleteGroups(ctx, s.Group)
	if err != nil {
		return nil, err
	}
	return "done", deleted[s.Group].Err
}

func deleteOffsets(ctx context.Context, bootstrap string, s step, _ int) (any, error) {
	deleted, err := admin(bootstrap).DeleteOffsets(ctx, s.Group, only(s))
	if err != nil {
		return nil, err
	}
	return "done", deleted.Error()
}

type member struct {
	sync.Mutex
	client *kgo.Client
	number int
	held   map[int32]bool
	done   chan struct{}
}

var members sync.Map

func join(_ context.Context, bootstrap string, s step, id int) (any, error) {
	joined := &member{number: id, held: map[int32]bool{}, done: make(chan struct{})}
	options := []kgo.Opt{
		kgo.SeedBrokers(bootstrap),
		kgo.ConsumerGroup(s.Group),
		kgo.ConsumeTopics(s.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxWait(50 * time.Millisecond),
		kgo.SessionTimeout(10 * time.Second),
		kgo.HeartbeatInterval(300 * time.Millisecond),
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(joined.assigned),
		kgo.OnPartitionsRevoked(joined.revoked),
		kgo.OnPartitionsLost(joined.lost),
	}
	if s.Assignor != "cooperative-sticky" {
		options = append(options, kgo.Balancers(kgo.RangeBalancer()))
	}
	if s.InstanceID != "" {
		options = append(options, kgo.InstanceID(s.InstanceID))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	joined.client = client
	members.Store(id, joined)
	go joined.run()
	return "done", nil
}

func leave(ctx context.Context, _ string, s step, _ int) (any, error) {
	found, _ := members.LoadAndDelete(s.Joined)
	one := found.(*member)
	err := one.client.CommitUncommittedOffsets(ctx)
	one.client.Close()
	<-one.done
	return "done", err
}

func (m *member) run() {
	defer close(m.done)
	for {
		fetches := m.client.PollFetches(context.Background())
		if fetches.IsClientClosed() {
			return
		}
		fetches.EachError(func(_ string, _ int32, err error) {
			say(map[string]any{"member": m.number, "failed": err.Error()})
		})
		records := [][3]any{}
		fetches.EachRecord(func(one *kgo.Record) {
			records = append(records, [3]any{one.Partition, one.Offset, textOf(one.Value)})
		})
		say(map[string]any{"member": m.number, "records": records})
		m.client.AllowRebalance()
	}
}

func (m *member) assigned(_ context.Context, _ *kgo.Client, topics map[string][]int32) {
	m.tell(topics, true)
}

func (m *member) revoked(ctx context.Context, client *kgo.Client, topics map[string][]int32) {
	if err := client.CommitUncommittedOffsets(ctx); err != nil {
		say(map[string]any{"member": m.number, "failed": err.Error()})
	}
	m.tell(topics, false)
}

func (m *member) lost(_ context.Context, _ *kgo.Client, topics map[string][]int32) {
	m.tell(topics, false)
}

func (m *member) tell(topics map[string][]int32, holds bool) {
	m.Lock()
	defer m.Unlock()
	for _, partitions := range topics {
		for _, partition := range partitions {
			if holds {
				m.held[partition] = true
			} else {
				delete(m.held, partition)
			}
		}
	}
	say(map[string]any{"member": m.number, "partitions": append([]int32{}, slices.Sorted(maps.Keys(m.held))...)})
}

func errorOf(code int16) error {
	return kerr.ErrorForCode(code)
}
