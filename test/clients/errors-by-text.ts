import { Refusal } from './client.ts'

/** How librdkafka's command line and Java's tools tell of Kafka's errors. */
const texts: readonly [pattern: RegExp, name: string][] = [
  [
    /Broker: Unknown topic or partition|UnknownTopicOrPartitionException|does not exist as expected/,
    'UNKNOWN_TOPIC_OR_PARTITION',
  ],
  [/Broker: Message size too large|RecordTooLargeException/, 'MESSAGE_TOO_LARGE'],
  [/Broker: Offset out of range|OffsetOutOfRangeException/, 'OFFSET_OUT_OF_RANGE'],
  [/TopicExistsException/, 'TOPIC_ALREADY_EXISTS'],
  [/InvalidTopicException/, 'INVALID_TOPIC_EXCEPTION'],
  [/InvalidConfigurationException|config\.ConfigException/, 'INVALID_CONFIG'],
  [/InvalidPartitionsException|The partitions must be greater than 0/, 'INVALID_PARTITIONS'],
  [/GroupNotEmptyException/, 'NON_EMPTY_GROUP'],
  [/GroupIdNotFoundException/, 'GROUP_ID_NOT_FOUND'],
  [/SecurityDisabledException/, 'SECURITY_DISABLED'],
  [/Broker: API version not supported|UnsupportedVersionException/, 'UNSUPPORTED_VERSION'],
]

/** The first known error that the output tells of. What the broker said of it is lost among the tool's own words. */
export function refusalIn(output: string): Refusal | undefined {
  const found = texts.find(([pattern]) => pattern.test(output))
  return found && new Refusal(found[1])
}
