import { incrementalAlterConfigs } from '../../wire/api/44-incremental-alter-configs.ts'
import type { RequestOf } from '../../wire/schema.ts'
import { type ConfigEdit, editSettings } from '../catalog/edits.ts'
import { alterResources, errorOf, invalidRequest, type ResourceError } from './config-resources.ts'
import { answer, defineHandler, type RequestContext } from './handler.ts'
import { repeated } from './repeated.ts'

type Resource = RequestOf<typeof incrementalAlterConfigs>['resources'][number]

/** By Kafka's codes. */
const operations = ['set', 'delete', 'append', 'subtract'] as const

/** Changes single configs of topics. */
export const incrementalAlterConfigsHandler = defineHandler<typeof incrementalAlterConfigs>({
  api: incrementalAlterConfigs,
  versions: incrementalAlterConfigs.versions,
  async handle({ resources, validateOnly }, context) {
    const change = (resource: Resource) => edit(resource, context, validateOnly)
    return answer<typeof incrementalAlterConfigs>({ responses: await alterResources(resources, context, change) })
  },
})

async function edit(
  { resourceName, configs }: Resource,
  { node, session }: RequestContext,
  validateOnly: boolean,
): Promise<ResourceError> {
  if (repeated(configs.map(({ name }) => name)).size > 0) return invalidRequest('Error due to duplicate config keys')
  const edits: ConfigEdit[] = []
  const valueless: string[] = []
  for (const { name, configOperation, value } of configs) {
    const operation = operations[configOperation]
    if (operation === undefined) return invalidRequest(`Unknown operations type ${configOperation}`)
    if (operation === 'delete') edits.push({ name, operation })
    else if (value === null) valueless.push(name)
    else edits.push({ name, operation, value })
  }
  if (valueless.length > 0) return invalidRequest(`Null value not supported for : ${valueless.join(', ')}`)
  const editor = { internal: session.internal, defaults: node.catalog.defaults }
  return errorOf(
    await node.catalog.alter(resourceName, (topic) => editSettings(topic, edits, editor), { validateOnly }),
  )
}
