import { array, defineApi, int16, int32, string, uuid } from '../schema.ts'

/**
 * Deletes topics; the answer comes before replicas are gone. v4 is flexible, v5 adds error texts and throttling
 * (error 89), v6 takes names or ids in `topics` in place of `topicNames`.
 */
export const deleteTopics = defineApi({
  key: 20,
  name: 'DeleteTopics',
  versions: [1, 6],
  flexible: 4,
  request: {
    topics: array(
      {
        name: string({ nullable: 0, default: null }),
        topicId: uuid(),
      },
      { from: 6 },
    ),
    topicNames: array(string(), { to: 5, ignorable: true }),
    timeoutMs: int32(),
  },
  response: {
    throttleTimeMs: int32(),
    responses: array({
      name: string({ nullable: 6 }),
      topicId: uuid({ from: 6, ignorable: true }),
      errorCode: int16(),
      errorMessage: string({ from: 5, nullable: 0, default: null, ignorable: true }),
    }),
  },
})
