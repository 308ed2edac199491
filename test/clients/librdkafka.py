"""librdkafka's Python binding, told what to do in lines of JSON. See child-client.ts for the other end."""

import functools
import json
import sys
import threading
import traceback

from confluent_kafka import (
    OFFSET_BEGINNING, Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer, TopicPartition,
)
from confluent_kafka.admin import (
    AclBinding, AclOperation, AclPermissionType, AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource,
    ConfigSource, NewPartitions, NewTopic, OffsetSpec, ResourcePatternType, ResourceType,
)

WAIT_SECONDS = 30
# For so long a topic that is not there is taken for one that is not there yet.
PROPAGATION_MS = 1000
output = threading.Lock()
members = {}


def say(message):
    with output:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


class Place:
    """Where a step is done. Its administrator is new: what an older one knows of a topic may be out of date."""

    def __init__(self, servers):
        self.servers = servers

    @functools.cached_property
    def admin(self):
        return AdminClient({"bootstrap.servers": self.servers})


def only(futures):
    return next(iter(futures.values())).result(WAIT_SECONDS)


def text(value):
    return None if value is None else value.decode()


def read(message):
    return {
        "partition": message.partition(),
        "offset": message.offset(),
        "key": text(message.key()),
        "value": text(message.value()),
        "headers": [[name, text(value)] for name, value in message.headers() or []],
        "timestampMs": message.timestamp()[1],
    }


def create_topic(place, step, _id):
    only(place.admin.create_topics([
        NewTopic(step["topic"], step.get("partitions", 1), step.get("replicas", 1), config=step.get("configs", {}))
    ]))
    return "done"


def delete_topic(place, step, _id):
    only(place.admin.delete_topics([step["topic"]]))
    return "done"


def describe_topic(place, step, _id):
    metadata = place.admin.list_topics(step["topic"], WAIT_SECONDS).topics[step["topic"]]
    if metadata.error:
        raise KafkaException(metadata.error)
    return [
        {"partition": one.id, "leader": one.leader, "replicas": one.replicas, "inSync": one.isrs}
        for one in sorted(metadata.partitions.values(), key=lambda one: one.id)
    ]


def describe_configs(place, step, _id):
    entries = only(place.admin.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, step["topic"])]))
    names = set(step.get("names", entries)) & set(entries) - set(step.get("without", []))
    return {name: {"value": entries[name].value, "source": ConfigSource(entries[name].source).name} for name in names}


def alter_configs(place, step, _id):
    sets = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        for name, value in step.get("set", {}).items()
    ]
    unsets = [
        ConfigEntry(name, None, incremental_operation=AlterConfigOpType.DELETE) for name in step.get("unset", [])
    ]
    resource = ConfigResource(ConfigResource.Type.TOPIC, step["topic"], incremental_configs=sets + unsets)
    only(place.admin.incremental_alter_configs([resource]))
    return "done"


def add_partitions(place, step, _id):
    only(place.admin.create_partitions([NewPartitions(step["topic"], step["total"])]))
    return "done"


def list_offsets(place, step, _id):
    at = step["at"]
    named = {
        "earliest": OffsetSpec.earliest(),
        "latest": OffsetSpec.latest(),
        "maxTimestamp": OffsetSpec.max_timestamp(),
    }
    spec = named[at] if at in named else OffsetSpec.for_timestamp(at)
    wanted = {TopicPartition(step["topic"], index): spec for index in range(step["partitions"])}
    found = place.admin.list_offsets(wanted)
    return {str(where.partition): future.result(WAIT_SECONDS).offset for where, future in found.items()}


def delete_records(place, step, _id):
    only(place.admin.delete_records([TopicPartition(step["topic"], step["partition"], step["before"])]))
    return "done"


def produce(place, step, _id):
    config = {
        "bootstrap.servers": place.servers,
        "compression.type": step.get("codec", "none"),
        "acks": step.get("acks", "all"),
        "enable.idempotence": step.get("idempotent", False),
        "linger.ms": 50,
        # The broker is to judge sizes, not the client.
        "message.max.bytes": 50_000_000,
        "topic.metadata.propagation.max.ms": PROPAGATION_MS,
    }
    producer = Producer(config)
    failures = []
    for record in step["records"]:
        more = {"timestamp": record["timestampMs"]} if "timestampMs" in record else {}
        producer.produce(
            step["topic"], record["value"], record.get("key"), step["partition"],
            headers=[tuple(pair) for pair in record.get("headers", [])] or None,
            on_delivery=lambda error, _message: failures.append(error) if error else None,
            **more,
        )
    left = producer.flush(WAIT_SECONDS)
    if failures:
        raise KafkaException(failures[0])
    return "done" if left == 0 else f"{left} not delivered"


def consume(place, step, _id):
    consumer = Consumer({
        "bootstrap.servers": place.servers,
        "group.id": "linkspan-unused",
        "enable.auto.commit": False,
        "auto.offset.reset": {"none": "error"}.get(step.get("reset"), step.get("reset", "earliest")),
        "max.partition.fetch.bytes": step.get("fetchBytes", 1_048_576),
        "fetch.wait.max.ms": 50,
        "topic.metadata.propagation.max.ms": PROPAGATION_MS,
    })
    try:
        start = OFFSET_BEGINNING if step["from"] == "earliest" else step["from"]
        consumer.assign([TopicPartition(step["topic"], index, start) for index in partitions_of(consumer, step)])
        records = []
        while len(records) < step["count"]:
            message = consumer.poll(WAIT_SECONDS)
            if message is None:
                raise RuntimeError(f"only {len(records)} of {step['count']} records came")
            if message.error():
                raise KafkaException(message.error())
            records.append(read(message))
        return sorted(records, key=lambda record: (record["partition"], record["offset"]))
    finally:
        consumer.close()


def partitions_of(consumer, step):
    if "partition" in step:
        return [step["partition"]]
    metadata = consumer.list_topics(step["topic"], WAIT_SECONDS).topics[step["topic"]]
    if metadata.error:
        raise KafkaException(metadata.error)
    return list(metadata.partitions)


def describe_group(place, step, _id):
    group = only(place.admin.describe_consumer_groups([step["group"]]))
    assigned = [sorted(part.partition for part in member.assignment.topic_partitions) for member in group.members]
    return {"state": group.state.name.title(), "members": len(group.members), "assigned": sorted(assigned)}


def list_groups(place, step, _id):
    listed = place.admin.list_consumer_groups().result(WAIT_SECONDS)
    return any(group.group_id == step["group"] for group in listed.valid)


def committed(place, step, _id):
    wanted = [TopicPartition(step["topic"], index) for index in range(step["partitions"])]
    found = only(place.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(step["group"], wanted)]))
    return {str(one.partition): max(one.offset, -1) for one in found.topic_partitions}


def commit(place, step, _id):
    wanted = [TopicPartition(step["topic"], int(index), offset) for index, offset in step["offsets"].items()]
    altered = only(place.admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(step["group"], wanted)]))
    for one in altered.topic_partitions:
        if one.error:
            raise KafkaException(one.error)
    return "done"


def delete_group(place, step, _id):
    only(place.admin.delete_consumer_groups([step["group"]]))
    return "done"


def transact(place, step, _id):
    config = {"bootstrap.servers": place.servers, "transactional.id": step["transactionalId"]}
    producer = Producer(config)
    producer.init_transactions(10)
    producer.begin_transaction()
    producer.produce(step["topic"], step["value"])
    producer.commit_transaction(10)
    return "done"


def create_acl(place, step, _id):
    only(place.admin.create_acls([AclBinding(
        ResourceType.TOPIC, step["topic"], ResourcePatternType.LITERAL, step["principal"], "*",
        AclOperation.READ, AclPermissionType.ALLOW,
    )]))
    return "done"


def join(place, step, number):
    own = {}
    if "assignor" in step:
        own["partition.assignment.strategy"] = step["assignor"]
    if "instanceId" in step:
        own["group.instance.id"] = step["instanceId"]
    if "protocol" in step:
        own["group.protocol"] = step["protocol"]
    else:
        own.update({"session.timeout.ms": 10_000, "heartbeat.interval.ms": 300})
    consumer = Consumer({
        "bootstrap.servers": place.servers,
        "group.id": step["group"],
        "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": 50,
        **own,
    })
    stopped = threading.Event()
    thread = threading.Thread(target=run_member, args=(consumer, step["topic"], number, stopped), daemon=True)
    members[number] = (stopped, thread)
    thread.start()
    return "done"


def run_member(consumer, topic, number, stopped):
    try:
        consumer.subscribe([topic])
        last = None
        while not stopped.is_set():
            message = consumer.poll(0.1)
            held = sorted(part.partition for part in consumer.assignment())
            if held != last:
                last = held
                say({"member": number, "partitions": held})
            if message is None:
                continue
            if message.error():
                raise KafkaException(message.error())
            say({"member": number, "records": [[message.partition(), message.offset(), text(message.value())]]})
        consumer.close()
        say({"member": number, "partitions": []})
    except KafkaException as problem:
        say({"member": number, "refused": told(problem)})
    except Exception:
        say({"member": number, "failed": traceback.format_exc()})


def leave(_place, step, _id):
    stopped, thread = members.pop(step["joined"])
    stopped.set()
    thread.join(WAIT_SECONDS)
    return "done"


steps = {
    "createTopic": create_topic,
    "deleteTopic": delete_topic,
    "describeTopic": describe_topic,
    "describeConfigs": describe_configs,
    "alterConfigs": alter_configs,
    "addPartitions": add_partitions,
    "listOffsets": list_offsets,
    "deleteRecords": delete_records,
    "produce": produce,
    "consume": consume,
    "describeGroup": describe_group,
    "listGroups": list_groups,
    "committed": committed,
    "commit": commit,
    "deleteGroup": delete_group,
    "transact": transact,
    "createAcl": create_acl,
    "join": join,
    "leave": leave,
}


def told(problem):
    error = problem.args[0]
    # It tells why it does not begin anew, but in words only.
    outside = error.code() == KafkaError._AUTO_OFFSET_RESET and "Offset out of range" in error.str()
    code = KafkaError.OFFSET_OUT_OF_RANGE if outside else error.code()
    return {"code": code, "name": error.name(), "message": error.str()}


def work(request):
    number = request["id"]
    try:
        step = request["step"]
        say({"id": number, "answer": steps[step["do"]](Place(request["bootstrap"]), step, number)})
    except KafkaException as problem:
        say({"id": number, "refused": told(problem)})
    except Exception:
        say({"id": number, "failed": traceback.format_exc()})


for line in sys.stdin:
    threading.Thread(target=work, args=(json.loads(line),), daemon=True).start()
