import { LinkspanError } from '../base/errors.ts'
import type {
  AlterConfigInput,
  AlteredMirror,
  AlteredMirrorList,
  ConfigInput,
  CreateLink,
  CreateMirror,
  CreateTopic,
  KafkaCluster,
  KafkaClusterList,
  KafkaLink,
  KafkaLinkConfig,
  KafkaLinkConfigList,
  KafkaLinkList,
  KafkaMirror,
  KafkaMirrorList,
  KafkaTopic,
  KafkaTopicConfig,
  KafkaTopicConfigList,
  KafkaTopicList,
  MirrorStatus,
  MirrorVerb,
} from '../contract/kafka-v3.ts'
import { call, type HttpCall, jsonRequest, parseJson } from './http.ts'

type Query = Record<string, string | boolean | undefined>

const segment = encodeURIComponent

/** Requests of Confluent's dialect. The Kafka cluster's id is asked for once, unless it is given. */
export class V3Requests {
  readonly #http: HttpCall
  #clusterId: Promise<string> | undefined

  constructor(http: HttpCall, clusterId?: string) {
    this.#http = http
    this.#clusterId = clusterId === undefined ? undefined : Promise.resolve(clusterId)
  }

  async request<Value>(
    method: string,
    path: string,
    options: { query?: Query; body?: unknown } = {},
    signal?: AbortSignal,
  ): Promise<Value> {
    const answer = await call(this.#http, jsonRequest(method, path + queryText(options.query), options.body), signal)
    return (answer.body.trim() === '' ? undefined : parseJson(answer)) as Value
  }

  clusters(signal?: AbortSignal): Promise<KafkaClusterList> {
    return this.request<KafkaClusterList>('GET', '/kafka/v3/clusters', {}, signal)
  }

  /** Of the cluster's own resources; `path` begins with a slash. */
  async ofCluster<Value>(
    method: string,
    path: string,
    options: { query?: Query; body?: unknown } = {},
    signal?: AbortSignal,
  ): Promise<Value> {
    this.#clusterId ??= this.#findCluster(signal)
    const clusterId = await this.#clusterId
    return this.request<Value>(method, `/kafka/v3/clusters/${segment(clusterId)}${path}`, options, signal)
  }

  async #findCluster(signal?: AbortSignal): Promise<string> {
    try {
      const { data } = await this.clusters(signal)
      const [first] = data
      if (first) return first.cluster_id
      throw new LinkspanError('not-found', 'This Linkspan fronts no Kafka cluster')
    } catch (error) {
      this.#clusterId = undefined
      throw error
    }
  }
}

function queryText(query: Query = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined)
  if (pairs.length === 0) return ''
  return `?${pairs.map(([name, value]) => `${segment(name)}=${segment(String(value))}`).join('&')}`
}

export function clusterCalls(v3: V3Requests) {
  return {
    list: async (signal?: AbortSignal): Promise<KafkaCluster[]> => (await v3.clusters(signal)).data,
  }
}

export interface LinkCreateOptions {
  validateOnly?: boolean
  /** False creates it even if the other side cannot be reached. */
  validateLink?: boolean
}

export function linkCalls(v3: V3Requests) {
  const path = (name: string) => `/links/${segment(name)}`
  return {
    list: async (signal?: AbortSignal) => (await v3.ofCluster<KafkaLinkList>('GET', '/links', {}, signal)).data,
    get: (name: string, options: { includeTasks?: boolean } = {}, signal?: AbortSignal) => {
      const query = { include_tasks: options.includeTasks }
      return v3.ofCluster<KafkaLink>('GET', path(name), { query }, signal)
    },
    create: async (name: string, body: CreateLink, options: LinkCreateOptions = {}, signal?: AbortSignal) => {
      const query = { link_name: name, validate_only: options.validateOnly, validate_link: options.validateLink }
      await v3.ofCluster<undefined>('POST', '/links', { query, body }, signal)
    },
    /** `force` turns live mirrors into ordinary topics first. */
    delete: async (name: string, options: { force?: boolean; validateOnly?: boolean } = {}) => {
      const query = { force: options.force, validate_only: options.validateOnly }
      await v3.ofCluster<unknown>('DELETE', path(name), { query })
    },
  }
}

export function linkConfigCalls(v3: V3Requests) {
  const path = (link: string, name?: string) => {
    return `/links/${segment(link)}/configs${name === undefined ? '' : `/${segment(name)}`}`
  }
  return {
    list: async (link: string, signal?: AbortSignal) => {
      return (await v3.ofCluster<KafkaLinkConfigList>('GET', path(link), {}, signal)).data
    },
    get: (link: string, name: string) => v3.ofCluster<KafkaLinkConfig>('GET', path(link, name)),
    set: async (link: string, name: string, value: ConfigInput['value']) => {
      await v3.ofCluster<undefined>('PUT', path(link, name), { body: { value } })
    },
    /** Back to its default. */
    reset: async (link: string, name: string) => {
      await v3.ofCluster<undefined>('DELETE', path(link, name))
    },
    /** All of the changes or none. */
    alter: async (link: string, data: AlterConfigInput[], options: { validateOnly?: boolean } = {}) => {
      const query = { validate_only: options.validateOnly }
      await v3.ofCluster<undefined>('PUT', `${path(link)}:alter`, { query, body: { data } })
    },
  }
}

export interface VerbOptions {
  validateOnly?: boolean
  /** Of promote: denies the source's writers, where rights allow. */
  fenceSource?: boolean
  /** Of truncate-and-restore: also per partition. */
  includePartitions?: boolean
}

export function mirrorCalls(v3: V3Requests) {
  const path = (link: string) => `/links/${segment(link)}/mirrors`
  const alter = async (verb: MirrorVerb, link: string, topics: string[], options: VerbOptions = {}) => {
    const query = {
      validate_only: options.validateOnly,
      include_partition_level_truncation_data: options.includePartitions,
    }
    const body = { mirror_topic_names: topics, ...(options.fenceSource ? { fence_source: true } : {}) }
    const { data } = await v3.ofCluster<AlteredMirrorList>('POST', `${path(link)}:${verb}`, { query, body })
    return data
  }
  const verb = (name: MirrorVerb) => {
    return (link: string, topics: string[], options?: VerbOptions): Promise<AlteredMirror[]> => {
      return alter(name, link, topics, options)
    }
  }
  return {
    /** Of every link when none is named. */
    list: async (options: { link?: string; status?: MirrorStatus } = {}, signal?: AbortSignal) => {
      const query = { mirror_status: options.status }
      return (await v3.ofCluster<KafkaMirrorList>('GET', path(options.link ?? '-'), { query }, signal)).data
    },
    get: (link: string, topic: string, options: { includeErrors?: boolean } = {}, signal?: AbortSignal) => {
      const query = { include_state_transition_errors: options.includeErrors }
      return v3.ofCluster<KafkaMirror>('GET', `${path(link)}/${segment(topic)}`, { query }, signal)
    },
    create: async (link: string, body: CreateMirror) => {
      await v3.ofCluster<undefined>('POST', path(link), { body })
    },
    /** Each item tells how it went for one topic; look at `error_code`. */
    alter,
    promote: verb('promote'),
    failover: verb('failover'),
    pause: verb('pause'),
    resume: verb('resume'),
    reverseAndStart: verb('reverse-and-start-mirror'),
    reverseAndPause: verb('reverse-and-pause-mirror'),
    truncateAndRestore: verb('truncate-and-restore'),
    /** Ours: compares mirrors with their sources; returns the URL of the operation that has the proofs. */
    verify: async (link: string, topics: string[]): Promise<string> => {
      const body = { mirror_topic_names: topics }
      const { operation } = await v3.ofCluster<{ operation: string }>('POST', `${path(link)}:verify`, { body })
      return operation
    },
  }
}

export function topicCalls(v3: V3Requests) {
  const path = (name: string) => `/topics/${segment(name)}`
  return {
    list: async (signal?: AbortSignal) => (await v3.ofCluster<KafkaTopicList>('GET', '/topics', {}, signal)).data,
    get: (name: string, signal?: AbortSignal) => v3.ofCluster<KafkaTopic>('GET', path(name), {}, signal),
    create: (body: CreateTopic) => v3.ofCluster<KafkaTopic>('POST', '/topics', { body }),
    setPartitions: (name: string, count: number) => {
      return v3.ofCluster<KafkaTopic>('PATCH', path(name), { body: { partitions_count: count } })
    },
    delete: async (name: string) => {
      await v3.ofCluster<undefined>('DELETE', path(name))
    },
    configs: async (name: string, signal?: AbortSignal): Promise<KafkaTopicConfig[]> => {
      return (await v3.ofCluster<KafkaTopicConfigList>('GET', `${path(name)}/configs`, {}, signal)).data
    },
    alterConfigs: async (name: string, data: AlterConfigInput[]) => {
      await v3.ofCluster<undefined>('POST', `${path(name)}/configs:alter`, { body: { data } })
    },
  }
}
