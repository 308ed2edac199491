import { createPartitions } from '../../wire/api/37-create-partitions.ts'
import type { RequestOf } from '../../wire/schema.ts'
import { errorOf, invalidRequest, type ResourceError } from './config-resources.ts'
import { answer, defineHandler, type RequestContext } from './handler.ts'
import { repeated } from './repeated.ts'
import { mayTopic, notPermittedOnTopic } from './topic-rights.ts'

type CreatePartitionsRequest = RequestOf<typeof createPartitions>
type Wanted = CreatePartitionsRequest['topics'][number]

/** Adds partitions to topics; a mirror has those of its source, which our own daemon adds. */
export const createPartitionsHandler = defineHandler<typeof createPartitions>({
  api: createPartitions,
  versions: createPartitions.versions,
  async handle(request, context) {
    const doubled = repeated(request.topics.map(({ name }) => name))
    const wanted = request.topics.filter(({ name }) => !doubled.has(name))
    const grown = wanted.map(async (one) => ({ name: one.name, ...(await grow(one, request, context)) }))
    const twice = [...doubled].map((name) => ({ name, ...invalidRequest('Duplicate topic name.') }))
    return answer<typeof createPartitions>({ results: [...(await Promise.all(grown)), ...twice] })
  },
})

async function grow(
  wanted: Wanted,
  { validateOnly }: CreatePartitionsRequest,
  { node, session }: RequestContext,
): Promise<ResourceError> {
  const { name } = wanted
  if (!mayTopic(session, 'can_edit', name)) return notPermittedOnTopic
  if (node.catalog.get(name)?.mirrorId && !session.internal) {
    return invalidRequest(`Cannot add partitions to read-only mirror topic '${name}'`)
  }
  return errorOf(await node.catalog.grow(wanted, { validateOnly }))
}
