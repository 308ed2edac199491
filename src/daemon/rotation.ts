import { LinkspanError } from '../base/errors.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { createCertificate } from '../identity/certificate.ts'
import { generationOf, isRestored, madeKnown } from '../link/cluster-facts.ts'
import type { LinkContext } from '../link/context.ts'
import type { Links } from '../link/links.ts'
import { CertificateRotation } from '../link/rotation.ts'
import { SupersededWatch, supersededText } from '../link/superseded.ts'
import type { Foundation } from './foundation.ts'

/** What a rotation of the cluster's certificate does to this daemon. */
export function openRotation(
  foundation: Foundation,
  parts: { context: LinkContext; links: Links; gateway: () => Gateway | undefined; onServed: () => void },
): CertificateRotation {
  const { config, identity, naming, log, store } = foundation
  const { context, links, gateway, onServed } = parts
  return new CertificateRotation({
    context,
    identity,
    directory: config.stateDir,
    makePair: () => createCertificate({ ...naming, commonName: naming.name }),
    serve: async ({ certificatePem, privateKeyPem }) => {
      const port = gateway()
      if (!port) throw new LinkspanError('internal', 'The certificate was rotated before the port was open')
      await port.useCertificate(certificatePem, privateKeyPem)
      onServed()
    },
    generation: () => generationOf(store.rows),
    onSwitched: () => links.reopen(),
    onUntold: (link, problem) => {
      if (problem !== null) log.warn({ link: link.name, problem }, 'A linked cluster does not know our new certificate')
    },
  })
}

/** Before mirrors are taken up: a host that was restored is to be the only one that linked clusters take for it. */
export async function beginLife({ store, log }: Foundation, rotation: CertificateRotation): Promise<void> {
  if (!isRestored(store.rows)) return await rotation.resume()
  const { fingerprint, told, untold } = await rotation.takeOver(() => madeKnown(store))
  const generation = generationOf(store.rows)
  log.info({ generation, fingerprint, told, untold }, 'This host was restored from a backup, and has a new certificate')
}

export function watchSuperseded({ log }: Foundation, context: LinkContext): SupersededWatch {
  return new SupersededWatch(context, (generation, link) => {
    const wayOut = 'stop this daemon, or delete its links and make new ones'
    log.error(
      { link: link.name, generation },
      `A linked cluster refuses this host, ${supersededText(generation)}: ${wayOut}`,
    )
  })
}
