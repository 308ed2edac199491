import type { LinkId } from '../base/ids.ts'
import type { MirrorContext } from './context.ts'
import { LinkRunner } from './link-runner.ts'
import { type LinkTaskActions, LinkTasks } from './link-tasks.ts'

interface Runner {
  runner: LinkRunner
  tasks: LinkTasks
}

/** The links at work, each with its tasks. */
export class Runners implements AsyncDisposable {
  readonly #context: MirrorContext
  readonly #actions: (linkId: LinkId) => LinkTaskActions
  readonly #runners = new Map<LinkId, Runner>()

  constructor(context: MirrorContext, actions: (linkId: LinkId) => LinkTaskActions) {
    this.#context = context
    this.#actions = actions
  }

  get(linkId: LinkId): Runner | undefined {
    return this.#runners.get(linkId)
  }

  /** Begins the tasks of a link that is not at work yet. */
  ensure(linkId: LinkId): Runner {
    const known = this.#runners.get(linkId)
    if (known) return known
    const runner = new LinkRunner(linkId, this.#context)
    const made = { runner, tasks: new LinkTasks(this.#context, runner, this.#actions(linkId)) }
    this.#runners.set(linkId, made)
    return made
  }

  async close(linkId: LinkId): Promise<void> {
    const known = this.#runners.get(linkId)
    if (!known) return
    this.#runners.delete(linkId)
    await closeRunner(known)
  }

  /** Ends what waits for an answer of a source. */
  async closeSources(): Promise<void> {
    await Promise.all([...this.#runners.values()].map(({ runner }) => runner.closeSource()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#runners.values()]
    this.#runners.clear()
    await Promise.all(all.map(closeRunner))
  }
}

async function closeRunner({ runner, tasks }: Runner): Promise<void> {
  await tasks[Symbol.asyncDispose]()
  await runner[Symbol.asyncDispose]()
}
