import { entityUrl } from '../contract/entities.ts'
import type { Warnings } from '../events/warnings.ts'
import { mirrorTable } from '../mirror/rows.ts'
import { changesOf } from '../store/rows.ts'
import type { Store } from '../store/store.ts'

/** A mirror that fails stays so until somebody acts: that is what warnings are for. The returned function ends it. */
export function warnOfFailedMirrors(store: Store, warnings: Warnings): () => void {
  return store.onCommitted((changes) => {
    for (const { before, after } of changesOf(mirrorTable, changes)) {
      const { topic } = (after ?? before)!
      const key = { type: 'Mirror failed', entity: entityUrl({ type: 'topic', name: topic }) }
      if (after?.state.name !== 'FAILED') void warnings.resolve(key)
      else void warnings.raise({ ...key, message: after.state.failure.message, severity: 'high' })
    }
  })
}
