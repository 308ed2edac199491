import { describeConfigs } from '../../wire/api/32-describe-configs.ts'
import { kafkaErrorDescription, kafkaErrors } from '../../wire/errors.ts'
import type { RequestOf } from '../../wire/schema.ts'
import type { DescribedConfig } from '../catalog/described-configs.ts'
import { topicNameProblem } from '../catalog/names.ts'
import { sayable } from '../catalog/outcome.ts'
import { invalidRequest, type ResourceError, resourceTypes, shownConfigs } from './config-resources.ts'
import { answer, defineHandler, type RequestContext } from './handler.ts'
import { mayServer, mayTopic, notPermittedOnCluster, notPermittedOnTopic } from './topic-rights.ts'

type DescribeConfigsRequest = RequestOf<typeof describeConfigs>
type Resource = DescribeConfigsRequest['resources'][number]
type Found = { readonly configs: readonly DescribedConfig[] } | { readonly error: ResourceError }

/** The configs of topics, and of this broker, which nobody can change through Kafka's protocol. */
export const describeConfigsHandler = defineHandler<typeof describeConfigs>({
  api: describeConfigs,
  versions: describeConfigs.versions,
  handle(request, context) {
    // An answer is much longer than what asks for it: nobody gets one twice.
    const resources = new Map(request.resources.map((one) => [`${one.resourceType} ${one.resourceName}`, one]))
    const results = [...resources.values()].map((resource) => {
      const { resourceType, resourceName } = resource
      const found = find(resource, context)
      if ('error' in found) return { ...found.error, resourceType, resourceName }
      const configs = chosen(found.configs, resource).map((config) => describe(config, request))
      return { errorCode: 0, errorMessage: null, resourceType, resourceName, configs }
    })
    return answer<typeof describeConfigs>({ results })
  },
})

function find({ resourceType, resourceName }: Resource, context: RequestContext): Found {
  switch (resourceType) {
    case resourceTypes.topic:
      return findTopic(resourceName, context)
    case resourceTypes.broker:
      return findBroker(resourceName, context)
    default:
      return { error: invalidRequest(`Unsupported resource type: ${resourceType}`) }
  }
}

function findTopic(name: string, context: RequestContext): Found {
  if (!mayTopic(context.session, 'can_view', name)) return { error: notPermittedOnTopic }
  const problem = topicNameProblem(name)
  if (problem) return { error: { errorCode: kafkaErrors.INVALID_TOPIC_EXCEPTION, errorMessage: sayable(problem) } }
  const topic = context.node.catalog.get(name)
  if (topic) return { configs: shownConfigs(context, topic) }
  const errorCode = kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION
  return { error: { errorCode, errorMessage: kafkaErrorDescription(errorCode) } }
}

function findBroker(name: string, { node, session }: RequestContext): Found {
  if (!mayServer(session, 'can_view_resources')) return { error: notPermittedOnCluster }
  // What is set for all brokers at run time, and here nothing is.
  if (name === '') return { configs: [] }
  if (!/^\d+$/.test(name)) return { error: invalidRequest(`Broker id must be an integer, but it is: ${name}`) }
  if (Number(name) === node.config.nodeId) return { configs: node.catalog.describeBroker() }
  const expected = `expected ${node.config.nodeId} or empty string, but received ${name}`
  return { error: invalidRequest(`Unexpected broker id, ${expected}`) }
}

/** No keys, or none named: all. */
function chosen(configs: readonly DescribedConfig[], { configurationKeys }: Resource): readonly DescribedConfig[] {
  if (configurationKeys === null || configurationKeys.length === 0) return configs
  const keys = new Set(configurationKeys)
  return configs.filter(({ name }) => keys.has(name))
}

function describe(config: DescribedConfig, { includeSynonyms }: DescribeConfigsRequest) {
  const { name, value, readOnly, source, configType, synonyms } = config
  const shown = includeSynonyms ? [...synonyms] : []
  return {
    name,
    value,
    readOnly,
    configSource: source,
    isSensitive: false,
    synonyms: shown,
    configType,
    documentation: null,
  }
}
