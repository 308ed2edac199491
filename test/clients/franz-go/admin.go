package main

import (
	"context"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func createTopic(ctx context.Context, bootstrap string, s step, _ int) (any, error) {
	configs := map[string]*string{}
	for name, value := range s.Configs {
		configs[name] = &value
	}
	partitions := int32(1)
	if s.Partitions != nil {
		partitions = *s.Partitions
	}
	made, err := admin(bootstrap).CreateTopics(ctx, partitions, max(s.Replicas, 1), configs, s.Topic)
	if err != nil {
		return nil, err
	}
	return "done", explain(made[s.Topic].Err, made[s.Topic].ErrMessage)
}

func deleteTopic(ctx context.Context, bootstrap string, s step, _ int) (any, error) {
	gone, err := admin(bootstrap).DeleteTopics(ctx, s.Topic)
	if err != nil {
		return nil, err
	}
	return "done", explain(gone[s.Topic].Err, gone[s.Topic].ErrMessage)
}

func describeTopic(ctx context.Context, bootstrap string, s step, _ int) (any, error) {
	found, err := admin(bootstrap).ListTopics(ctx, s.Topic)
	if err != nil {
		return nil, err
	}
	if err := found[s.Topic].Err; err != nil {
		return nil, err
	}
	described := []any{}
	for _, one := range found[s.Topic].Partitions.Sorted() {
		described = append(described, map[string]any{
			"partition": one.Partition, "leader": one.Leader, "replicas": one.Replicas, "inSync": one.ISR,
		})
	}
	return described, nil
}

func describeConfigs(ctx context.Context, bootstrap string, s step, _ int) (any, error) {
	all, err := admin(bootstrap).DescribeTopicConfigs(ctx, s.Topic)
	if err != nil {
		return nil, err
	}
	found, err := all.On(s.Topic, nil)
	if err != nil {
		return nil, err
	}
	described := map[string]any{}
	for _, one := range found.Configs {
		wanted := len(s.Names) == 0 || slices.Contains(s.Names, one.Key)
		if wanted && !slices.Contains(s.Without, one.Key) {
			described[one.Key] = map[string]any{"value": one.Value, "source": one.Source.String()}
		}
	}
	return described, explain(found.Err, found.ErrMessage)
}

func alterConfigs(ctx context.Context, bootstrap string, s step, _ int) (any, error) {
	changes := []kadm.AlterConfig{}
	for name, value := range s.Set {
		changes = append(changes, kadm.AlterConfig{Op: kadm.SetConfig, Name: name, Value: &value})
	}
	for _, name := range s.Unset {
		changes = append(changes, kadm.AlterConfig{Op: kadm.DeleteConfig, Name: name})
	}
	altered, err := admin(bootstrap).AlterTopicConfigs(ctx, changes, s.Topic)
	if err != nil {
		return nil, err
	}
	one, err := altered.On(s.Topic, nil)
	if err != nil {
		return nil, err
	}
	return "done", explain(one.Err, one.ErrMessage)
}

func addPartitions(ctx context.Context, bootstrap string, s step, _ int) (any, error) {
	grown, err := admin(bootstrap).UpdatePartitions(ctx, s.Total, s.Topic)
	if err != nil {
		return nil, err
	}
	return "done", explain(grown[s.Topic].Err, grown[s.Topic].ErrMessage)
}

func listOffsets(ctx context.Context, bootstrap string, s step, _ int) (any, error) {
	var listed kadm.ListedOffsets
	var err error
	switch at := s.At.(type) {
	case float64:
		return offsetsAtTime(ctx, bootstrap, s, int64(at))
	case string:
		switch at {
		case "earliest":
			listed, err = admin(bootstrap).ListStartOffsets(ctx, s.Topic)
		case "maxTimestamp":
			listed, err = admin(bootstrap).ListMaxTimestampOffsets(ctx, s.Topic)
		default:
			listed, err = admin(bootstrap).ListEndOffsets(ctx, s.Topic)
		}
	}
	if err != nil {
		return nil, err
	}
	return offsetsOf(s.Topic, listed)
}

// kadm gives the end for a time after the last record; the request itself answers −1, as other clients show it.
func offsetsAtTime(ctx context.Context, bootstrap string, s step, timestampMs int64) (any, error) {
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic = s.Topic
	for partition := range *s.Partitions {
		one := kmsg.NewListOffsetsRequestTopicPartition()
		one.Partition = partition
		one.Timestamp = timestampMs
		topic.Partitions = append(topic.Partitions, one)
	}
	asked := kmsg.NewPtrListOffsetsRequest()
	asked.ReplicaID = -1
	asked.Topics = append(asked.Topics, topic)
	answer, err := asked.RequestWith(ctx, clientOf(bootstrap))
	if err != nil {
		return nil, err
	}
	found := map[string]int64{}
	for _, one := range answer.Topics[0].Partitions {
		if err := errorOf(one.ErrorCode); err != nil {
			return nil, err
		}
		found[strconv.Itoa(int(one.Partition))] = one.Offset
	}
	return found, nil
}

func offsetsOf(topic string, listed kadm.ListedOffsets) (any, error) {
	if err := listed.Error(); err != nil {
		return nil, err
	}
	found := map[string]int64{}
	for partition, one := range listed[topic] {
		found[strconv.Itoa(int(partition))] = one.Offset
	}
	return found, nil
}

func deleteRecords(ctx context.Context, bootstrap string, s step, _ int) (any, error) {
	before := kadm.Offsets{}
	before.AddOffset(s.Topic, *s.Partition, s.Before, -1)
	deleted, err := admin(bootstrap).DeleteRecords(ctx, before)
	if err != nil {
		return nil, err
	}
	return "done", deleted.Error()
}

func createAcl(ctx context.Context, bootstrap string, s step, _ int) (any, error) {
	wanted := kadm.NewACLs().Topics(s.Topic).Allow(s.Principal).AllowHosts("*").
		Operations(kadm.OpRead).ResourcePatternType(kadm.ACLPatternLiteral)
	made, err := admin(bootstrap).CreateACLs(ctx, wanted)
	if err != nil {
		return nil, err
	}
	return "done", explain(made[0].Err, made[0].ErrMessage)
}

func only(s step) kadm.TopicsSet {
	return kadm.TopicsSet{s.Topic: {*s.Partition: {}}}
}

func producers(ctx context.Context, bootstrap string, s step, _ int) (any, error) {
	described, err := admin(bootstrap).DescribeProducers(ctx, only(s))
	if err != nil {
		return nil, err
	}
	found := described[s.Topic].Partitions[*s.Partition]
	if found.Err != nil {
		return nil, explain(found.Err, found.ErrMessage)
	}
	sequences := []int32{}
	for _, one := range found.ActiveProducers.Sorted() {
		sequences = append(sequences, one.LastSequence)
	}
	return sequences, nil
}

func logBytes(ctx context.Context, bootstrap string, s step, _ int) (any, error) {
	described, err := admin(bootstrap).DescribeAllLogDirs(ctx, only(s))
	if err != nil {
		return nil, err
	}
	total := int64(0)
	for _, broker := range described {
		if err := broker.Error(); err != nil {
			return nil, err
		}
		total += broker.Size()
	}
	return total, nil
}
