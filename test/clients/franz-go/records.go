package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

type readRecord struct {
	Partition   int32    `json:"partition"`
	Offset      int64    `json:"offset"`
	Key         *string  `json:"key"`
	Value       *string  `json:"value"`
	Headers     [][2]any `json:"headers"`
	TimestampMs int64    `json:"timestampMs"`
}

var codecs = map[string]kgo.CompressionCodec{
	"":       kgo.NoCompression(),
	"none":   kgo.NoCompression(),
	"gzip":   kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(),
	"lz4":    kgo.Lz4Compression(),
	"zstd":   kgo.ZstdCompression(),
}

func produce(ctx context.Context, bootstrap string, s step, _ int) (any, error) {
	options := []kgo.Opt{
		kgo.SeedBrokers(bootstrap),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(codecs[s.Codec]),
		kgo.ProducerLinger(20 * time.Millisecond),
		// The broker is to judge sizes, not the client.
		kgo.ProducerBatchMaxBytes(50_000_000),
		kgo.UnknownTopicRetries(0),
	}
	if !s.Idempotent {
		options = append(options, kgo.DisableIdempotentWrite(), kgo.RequiredAcks(acksOf(s.Acks)))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	records := make([]*kgo.Record, len(s.Records))
	for index, one := range s.Records {
		records[index] = written(s, one)
	}
	return "done", client.ProduceSync(ctx, records...).FirstErr()
}

func acksOf(wanted any) kgo.Acks {
	switch wanted {
	case 0.0:
		return kgo.NoAck()
	case 1.0:
		return kgo.LeaderAck()
	default:
		return kgo.AllISRAcks()
	}
}

func written(s step, one record) *kgo.Record {
	made := &kgo.Record{Topic: s.Topic, Partition: *s.Partition, Key: bytesOf(one.Key), Value: bytesOf(one.Value)}
	for _, pair := range one.Headers {
		made.Headers = append(made.Headers, kgo.RecordHeader{Key: pair[0], Value: []byte(pair[1])})
	}
	if one.TimestampMs != 0 {
		made.Timestamp = time.UnixMilli(one.TimestampMs)
	}
	return made
}

func consume(ctx context.Context, bootstrap string, s step, _ int) (any, error) {
	start := kgo.NewOffset().AtStart()
	if at, named := s.From.(float64); named {
		start = kgo.NewOffset().At(int64(at))
	}
	partitions, err := partitionsOf(ctx, bootstrap, s)
	if err != nil {
		return nil, err
	}
	wanted := map[int32]kgo.Offset{}
	for _, partition := range partitions {
		wanted[partition] = start
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(bootstrap),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{s.Topic: wanted}),
		kgo.ConsumeResetOffset(resetOf(s.Reset)),
		kgo.FetchMaxWait(50 * time.Millisecond),
	}
	if s.FetchBytes > 0 {
		options = append(options, kgo.FetchMaxPartitionBytes(s.FetchBytes))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return collect(ctx, client, s.Count)
}

func partitionsOf(ctx context.Context, bootstrap string, s step) ([]int32, error) {
	if s.Partition != nil {
		return []int32{*s.Partition}, nil
	}
	topics, err := admin(bootstrap).ListTopics(ctx, s.Topic)
	if err != nil {
		return nil, err
	}
	return topics[s.Topic].Partitions.Numbers(), topics[s.Topic].Err
}

func resetOf(name string) kgo.Offset {
	switch name {
	case "none":
		return kgo.NoResetOffset()
	case "latest":
		return kgo.NewOffset().AtEnd()
	default:
		return kgo.NewOffset().AtStart()
	}
}

func collect(ctx context.Context, client *kgo.Client, count int) (any, error) {
	found := []readRecord{}
	for len(found) < count {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, fmt.Errorf("after %d of %d records: %w", len(found), count, err)
		}
		fetches.EachRecord(func(one *kgo.Record) {
			if len(found) < count {
				found = append(found, seen(one))
			}
		})
	}
	slices.SortFunc(found, func(left, right readRecord) int {
		return cmp.Or(cmp.Compare(left.Partition, right.Partition), cmp.Compare(left.Offset, right.Offset))
	})
	return found, nil
}

func seen(one *kgo.Record) readRecord {
	headers := make([][2]any, len(one.Headers))
	for index, header := range one.Headers {
		headers[index] = [2]any{header.Key, textOf(header.Value)}
	}
	return readRecord{one.Partition, one.Offset, textOf(one.Key), textOf(one.Value), headers, one.Timestamp.UnixMilli()}
}

func textOf(bytes []byte) *string {
	if bytes == nil {
		return nil
	}
	text := string(bytes)
	return &text
}

func bytesOf(text *string) []byte {
	if text == nil {
		return nil
	}
	return []byte(*text)
}

func transact(ctx context.Context, bootstrap string, s step, _ int) (any, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.TransactionalID(s.TransactionalID))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	if err := client.BeginTransaction(); err != nil {
		return nil, err
	}
	if err := client.ProduceSync(ctx, &kgo.Record{Topic: s.Topic, Value: []byte(s.Value)}).FirstErr(); err != nil {
		return nil, err
	}
	return "done", client.EndTransaction(ctx, kgo.TryCommit)
}
