import { isLinkspanError } from '../../../base/errors.ts'
import type { ClusterLinkCertificate, ClusterLinksPost } from '../../../contract/v1.ts'
import { askForConsent } from '../../consent.ts'
import type { Context } from '../../context.ts'
import { Questions } from '../../input.ts'

/** Shows the certificate that was found; without the person's yes the pending link is taken away again. */
export async function confirmPublicLink(context: Context, body: ClusterLinksPost, answer: unknown): Promise<void> {
  const { fingerprint, certificate } = answer as ClusterLinkCertificate
  const name = body.name ?? ''
  try {
    using questions = new Questions()
    await askForConsent(questions, fingerprint, 'no link was made')
    await context.client.clusterLinks.create({ ...body, cluster_certificate: certificate })
  } catch (error) {
    // Somebody else has confirmed it in the meantime: then it is not pending any more, and not ours to take away.
    if (!isLinkspanError(error, 'already-exists')) await context.client.clusterLinks.delete(name)
    throw error
  }
  context.say(`Cluster link ${name} created`)
}
