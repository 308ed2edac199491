import { escapeControl } from '../base/log.ts'
import type { EventBus } from '../events/bus.ts'
import type { GatewayAuditEvent } from '../gateway/messages.ts'

/** What the gateway refused, as an event that an administrator can watch. Peers' texts become harmless. */
export function publishGatewayAudit(bus: EventBus, event: GatewayAuditEvent): void {
  const { name, address, fingerprint, detail, left } = event
  const more = left ? ` (${left} more like it are left out)` : ''
  bus.security({
    name: `gateway_${name.replaceAll('-', '_')}${fingerprint ? `:${fingerprint}` : ''}`,
    level: name === 'tunnel-opened' ? 'info' : 'warning',
    description: escapeControl(`${detail}${more}`),
    requestor: { username: fingerprint ?? '', protocol: fingerprint ? 'tls' : '', address },
  })
}
