import { test } from 'node:test'
import { kafkaAvailable } from '../kafka/jars.ts'
import { kcatProduce } from '../kafka/kcat.ts'
import { sharedKafka } from '../kafka/shared.ts'
import { proveWhatIsLeft } from '../support/restoring.ts'

for (const line of ['3.9', '4'] as const) {
  const name = `what is left of a mirror in an Apache Kafka ${line} that survived is proven before it is written to`
  test(name, { ...(await kafkaAvailable(line)), timeout: 120_000 }, async () => {
    const kafka = await sharedKafka(line)
    const spoil = (topic: string) => kcatProduce(kafka, topic, [{ value: 'of somebody else' }], { partition: 0 })
    await proveWhatIsLeft(kafka.bootstrap, spoil, `left-${line}-${process.pid}-`)
  })
}
