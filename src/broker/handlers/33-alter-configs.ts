import { alterConfigs } from '../../wire/api/33-alter-configs.ts'
import type { RequestOf } from '../../wire/schema.ts'
import { replaceSettings } from '../catalog/edits.ts'
import { alterResources, errorOf, invalidRequest, type ResourceError } from './config-resources.ts'
import { answer, defineHandler, type RequestContext } from './handler.ts'
import { repeated } from './repeated.ts'

type AlterConfigsRequest = RequestOf<typeof alterConfigs>
type Resource = AlterConfigsRequest['resources'][number]

/** Sets all configs of topics anew: what is left out goes back to its default. */
export const alterConfigsHandler = defineHandler<typeof alterConfigs>({
  api: alterConfigs,
  versions: alterConfigs.versions,
  async handle({ resources, validateOnly }, context) {
    const change = (resource: Resource) => replace(resource, context, validateOnly)
    return answer<typeof alterConfigs>({ responses: await alterResources(resources, context, change) })
  },
})

async function replace(
  { resourceName, configs }: Resource,
  { node, session }: RequestContext,
  validateOnly: boolean,
): Promise<ResourceError> {
  if (repeated(configs.map(({ name }) => name)).size > 0) return invalidRequest('Error due to duplicate config keys')
  const valueless = configs.filter(({ value }) => value === null).map(({ name }) => name)
  if (valueless.length > 0) return invalidRequest(`Null value not supported for : ${valueless.join(', ')}`)
  const given = Object.fromEntries(configs.map(({ name, value }) => [name, value as string]))
  const editor = { internal: session.internal, defaults: node.catalog.defaults }
  return errorOf(
    await node.catalog.alter(resourceName, (topic) => replaceSettings(topic, given, editor), { validateOnly }),
  )
}
