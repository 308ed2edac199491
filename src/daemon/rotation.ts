import { LinkspanError } from '../base/errors.ts'
import { entityUrl } from '../contract/entities.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { createCertificate } from '../identity/certificate.ts'
import { generationOf, isRestored, madeKnown } from '../link/cluster-facts.ts'
import type { LinkOptions } from '../link/context.ts'
import type { Links } from '../link/links.ts'
import { CertificateRotation } from '../link/rotation.ts'
import { linkRef } from '../link/rows.ts'
import { SupersededWatch, supersededText } from '../link/superseded.ts'
import { linkWarningTypes } from '../link/warnings.ts'
import type { Foundation } from './foundation.ts'
import { type KafkaFront, serveCertificate } from './kafka-front.ts'

/** What a rotation of the cluster's certificate does to this daemon. */
export function openRotation(
  foundation: Foundation,
  parts: {
    context: LinkOptions
    links: Links
    front: KafkaFront
    gateway: () => Gateway | undefined
    onServed: () => void
  },
): CertificateRotation {
  const { config, identity, naming, store, warnings } = foundation
  const { context, links, front, gateway, onServed } = parts
  return new CertificateRotation({
    context,
    identity,
    directory: config.stateDir,
    makePair: () => createCertificate({ ...naming, commonName: naming.name }),
    serve: async (pair) => {
      const port = gateway()
      if (!port) throw new LinkspanError('internal', 'The certificate was rotated before the port was open')
      await port.useCertificate(pair.certificatePem, pair.privateKeyPem)
      await serveCertificate(foundation, front, pair)
      onServed()
    },
    generation: () => generationOf(store.rows),
    onSwitched: () => links.reopen(),
    onUntold: (link, problem) => {
      const about = { type: linkWarningTypes.untold, entity: entityUrl(linkRef(link)) }
      if (problem === null) void warnings.resolve(about)
      else void warnings.raise({ ...about, message: problem, severity: 'moderate' })
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

export function watchSuperseded({ warnings }: Foundation, context: LinkOptions): SupersededWatch {
  const type = 'A restored host took the place of this one'
  return new SupersededWatch(context, (found) => {
    if (!found) return void warnings.resolve({ type })
    const { link, generation } = found
    const other = `The other side of cluster link ${JSON.stringify(link.name)}`
    const problem = `${other} refuses this host, because ${supersededText(generation)}`
    const message = `${problem}: stop this daemon, or delete its links and make new ones`
    void warnings.raise({ type, message, severity: 'high' })
  })
}
