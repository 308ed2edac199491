import type { Log } from '../../base/log.ts'
import type { Store } from '../../store/store.ts'
import type { Logs } from '../log/types.ts'
import { topicTable } from './rows.ts'
import { deleteLogs } from './topic-logs.ts'

/**
 * Takes away the topics whose creation was never confirmed, so that nobody was told of them, and those whose deletion
 * was begun.
 */
export async function finishIntents(store: Store, logs: Logs, log: Log): Promise<void> {
  for (const { key, row } of store.rows.list(topicTable)) {
    if (row.state === 'ready') continue
    await deleteLogs(logs, key, { from: 0, to: row.growingTo ?? row.partitions })
    await store.execute('finish topics', () => ({ changes: [topicTable.remove(key)], result: undefined }))
    log.info({ topic: row.name, topicId: key, was: row.state }, 'A change of topics that was interrupted is undone')
  }
}
