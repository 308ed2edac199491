import { isLinkspanError, LinkspanError } from '../../../base/errors.ts'
import type { ClusterLinkCertificate, ClusterLinksPost } from '../../../contract/v1.ts'
import type { Context } from '../../context.ts'
import { Questions } from '../../input.ts'

const fingerprintCharacters = 64

/** Shows the certificate that was found; without the person's yes the pending link is taken away again. */
export async function confirmPublicLink(context: Context, body: ClusterLinksPost, answer: unknown): Promise<void> {
  const { fingerprint, certificate } = answer as ClusterLinkCertificate
  const name = body.name ?? ''
  try {
    await askForConsent(fingerprint)
    await context.client.clusterLinks.create({ ...body, cluster_certificate: certificate })
  } catch (error) {
    // Somebody else has confirmed it in the meantime: then it is not pending any more, and not ours to take away.
    if (!isLinkspanError(error, 'already-exists')) await context.client.clusterLinks.delete(name)
    throw error
  }
  context.say(`Cluster link ${name} created`)
}

async function askForConsent(fingerprint: string): Promise<void> {
  process.stderr.write(`Certificate fingerprint: ${fingerprint}\n`)
  using questions = new Questions()
  for (;;) {
    const answer = (await questions.ask('ok (y/n/[fingerprint])? '))?.toLowerCase() ?? 'n'
    if (answer.startsWith('y') || answer === fingerprint) return
    if (answer === '' || answer.startsWith('n')) {
      throw new LinkspanError('not-trusted', 'The certificate was not accepted: no link was made')
    }
    if (answer.length === fingerprintCharacters) {
      throw new LinkspanError('wrong-fingerprint', 'The fingerprint that was typed is another one: no link was made')
    }
  }
}
