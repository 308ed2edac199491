import assert from 'node:assert/strict'
import { Compile } from 'typebox/schema'

type Schema = Record<string, unknown>

interface Described {
  summary?: string
  operationId?: string
  'x-linkspan-access'?: { kind: string; entitlement?: string; entity_type?: string }
  parameters?: { name: string; in: string; required?: boolean }[]
  requestBody?: { content: Record<string, { schema: Schema }> }
  responses: Record<string, { description?: string; content?: Record<string, { schema: Schema }> }>
}

export interface OpenApi {
  openapi: string
  paths: Record<string, Record<string, Described>>
}

/** One method of one path, as `/openapi.json` tells of it. */
export interface DescribedOperation extends Described {
  method: string
  path: string
}

export function operationsOf({ paths }: OpenApi): DescribedOperation[] {
  return Object.entries(paths).flatMap(([path, methods]) => {
    return Object.entries(methods).map(([method, described]) => ({ ...described, path, method: method.toUpperCase() }))
  })
}

/** What a request is in the description; undefined when it is not in it. */
export function operationOf(
  operations: readonly DescribedOperation[],
  method: string,
  url: string,
): DescribedOperation | undefined {
  const path = url.replace(/\?.*$/s, '').split('/')
  return operations.find((operation) => {
    const parts = operation.path.split('/')
    const fits = (part: string, index: number) => part === path[index] || (part.startsWith('{') && path[index] !== '')
    return operation.method === method && parts.length === path.length && parts.every(fits)
  })
}

/** Throws when an answer is none of those that are described. LXD's errors may come with a status of success. */
export function assertDescribed(
  operation: DescribedOperation,
  answer: { status: number; contentType: string; text: string },
): void {
  const where = `${operation.method} ${operation.path} → ${answer.status} ${answer.text.slice(0, 500)}`
  const isJson = answer.contentType.includes('json')
  const value = isJson ? JSON.parse(answer.text) : undefined
  const isError = answer.status >= 400 || value?.type === 'error'
  const response = isError ? operation.responses.default : operation.responses[answer.status]
  assert.ok(response, `${where}: no such answer is described`)
  const schema = response.content?.['application/json']?.schema
  if (!schema || !isJson) return
  const [valid, problems] = compiled(schema).Errors(value)
  assert.ok(valid, `${where}: ${JSON.stringify(problems)}`)
}

const validators = new WeakMap<Schema, ReturnType<typeof Compile>>()

function compiled(schema: Schema) {
  const validator = validators.get(schema) ?? Compile(schema)
  validators.set(schema, validator)
  return validator
}

/** A body with what has to be in it and nothing else, or undefined when the operation takes none. */
export function smallestBody({ requestBody }: DescribedOperation): unknown {
  const schema = requestBody?.content['application/json']?.schema
  return schema && smallest(schema)
}

function smallest(schema: Schema): unknown {
  const { type, properties = {}, required = [], anyOf, enum: choices } = schema
  if (Array.isArray(choices)) return choices[0]
  if (schema.const !== undefined) return schema.const
  if (Array.isArray(anyOf)) return smallest(anyOf[0])
  if (type === 'array') return []
  if (type === 'integer' || type === 'number') return 1
  if (type === 'boolean') return true
  if (type === 'string') return 'sample'
  const members = (required as string[]).map((name) => [name, smallest((properties as Record<string, Schema>)[name]!)])
  return Object.fromEntries(members)
}
