import type { Context } from '../../context.ts'
import { type LinkForm, linkForm } from './form.ts'

/** Reads, changes and writes; refused when somebody else changed the link in between. */
export async function updateLink(
  context: Context,
  name: string,
  change: (form: LinkForm) => LinkForm | Promise<LinkForm>,
): Promise<void> {
  const { value, etag } = await context.client.clusterLinks.get(name)
  await context.client.clusterLinks.replace(name, await change(linkForm(value)), etag)
}
