export type * from '../transport/spec.ts'
