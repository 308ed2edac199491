import { kafkaErrors } from '../../wire/errors.ts'
import { configTypeCodes } from '../catalog/config-values.ts'
import { configSourceCodes, type DescribedConfig } from '../catalog/described-configs.ts'
import { type Outcome, sayable } from '../catalog/outcome.ts'
import { mirrorConfigKey } from '../catalog/topic-configs.ts'
import type { Topic } from '../catalog/types.ts'
import type { RequestContext } from './handler.ts'
import { mayTopic, notPermittedOnTopic } from './topic-rights.ts'

/** Kafka's kinds of things that have configs, as far as this broker has them. */
export const resourceTypes = { topic: 2, broker: 4 } as const

export interface ResourceRef {
  readonly resourceType: number
  readonly resourceName: string
}

export interface ResourceError {
  readonly errorCode: number
  readonly errorMessage: string | null
}

export const done: ResourceError = { errorCode: 0, errorMessage: null }

export function invalidRequest(errorMessage: string): ResourceError {
  return { errorCode: kafkaErrors.INVALID_REQUEST, errorMessage: sayable(errorMessage) }
}

/** All keys of a topic as the caller may see them: whose mirror it is concerns our own daemon alone. */
export function shownConfigs({ node, session }: RequestContext, topic: Omit<Topic, 'topicId'>): DescribedConfig[] {
  const configs = node.catalog.describe(topic)
  return session.internal && topic.mirrorId !== null ? [...configs, mirrorConfig(topic.mirrorId)] : configs
}

function mirrorConfig(value: string): DescribedConfig {
  const entry = { name: mirrorConfigKey, value, source: configSourceCodes.topic }
  return { ...entry, readOnly: false, configType: configTypeCodes.string, synonyms: [entry] }
}

/**
 * Makes a change to each resource, in Kafka's order of judgement; `change` makes that of one topic. The settings of the
 * broker itself are the operator's, in its own configuration.
 */
export async function alterResources<R extends ResourceRef>(
  resources: readonly R[],
  context: RequestContext,
  change: (resource: R) => Promise<ResourceError>,
): Promise<(ResourceRef & ResourceError)[]> {
  const seen = new Map<string, number>()
  for (const resource of resources) seen.set(keyOf(resource), (seen.get(keyOf(resource)) ?? 0) + 1)
  return await Promise.all(
    resources.map(async (resource) => {
      const { resourceType, resourceName } = resource
      const isDoubled = (seen.get(keyOf(resource)) ?? 0) > 1
      const error = isDoubled ? invalidRequest('Each resource must appear at most once.') : problemOf(resource, context)
      return { resourceType, resourceName, ...(error ?? (await change(resource))) }
    }),
  )
}

function keyOf({ resourceType, resourceName }: ResourceRef): string {
  return `${resourceType} ${resourceName}`
}

function problemOf(
  { resourceType, resourceName }: ResourceRef,
  { session }: RequestContext,
): ResourceError | undefined {
  if (resourceType === resourceTypes.topic) {
    return mayTopic(session, 'can_edit', resourceName) ? undefined : notPermittedOnTopic
  }
  if (resourceType !== resourceTypes.broker) return invalidRequest(`Unknown resource type ${resourceType}`)
  const wayOut = 'set them where the daemon is started (--broker-config), then restart it'
  return invalidRequest(`The configs of this broker cannot be changed while it runs: ${wayOut}`)
}

export function errorOf(outcome: Outcome<unknown>): ResourceError {
  return outcome.ok ? done : { errorCode: kafkaErrors[outcome.error], errorMessage: outcome.message }
}
