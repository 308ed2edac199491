import type { EventBus } from '../../events/bus.ts'
import type { ApiRequest } from '../request.ts'

/** What LXD says of changes, in its names and its order: first what happened, then who did it to whose rights. */
export class Audit {
  readonly #bus: EventBus

  constructor(bus: EventBus) {
    this.#bus = bus
  }

  /** `project` is LXD's, for what belongs to one: links do, groups and identities do not. */
  lifecycle(
    request: ApiRequest,
    action: string,
    source: string,
    extra: { name?: string; context?: Record<string, unknown>; project?: string } = {},
  ): void {
    const { project, ...rest } = extra
    this.#bus.lifecycle({ action, source, requestor: request.requestor, ...rest }, project)
  }

  security(request: ApiRequest, name: string, description: string): void {
    this.#bus.security({ name, level: 'info', description, ...request.auditFacts })
  }

  identityChanged(request: ApiRequest, change: 'created' | 'updated' | 'deleted', id: string): void {
    this.lifecycle(request, `identity-${change}`, `/1.0/auth/identities/tls/${id}`)
    this.#identitySecurity(request, change, id)
  }

  #identitySecurity(request: ApiRequest, change: 'created' | 'updated' | 'deleted', id: string): void {
    const verb = { created: 'create', updated: 'edit', deleted: 'delete' }[change]
    this.security(request, `user_${change}:tls:${id}`, `Identity ${id} was ${change}`)
    this.security(request, `authz_admin:identity_${verb}:tls/${id}`, `Identity ${id} was ${change}`)
  }

  /** An entry of the older trust store, which is an identity too. */
  certificateChanged(request: ApiRequest, change: 'created' | 'updated' | 'deleted', fingerprint: string): void {
    this.lifecycle(request, `certificate-${change}`, `/1.0/certificates/${fingerprint}`)
    this.#identitySecurity(request, change, fingerprint)
  }

  groupChanged(
    request: ApiRequest,
    change: 'created' | 'updated' | 'renamed' | 'deleted',
    name: string,
    oldName?: string,
  ): void {
    const verb = { created: 'create', updated: 'edit', renamed: 'edit', deleted: 'delete' }[change]
    const context = oldName === undefined ? {} : { context: { old_name: oldName } }
    this.lifecycle(request, `auth-group-${change}`, `/1.0/auth/groups/${encodeURIComponent(name)}`, context)
    this.security(request, `authz_admin:group_${verb}:${name}`, `Group ${name} was ${change}`)
  }
}
