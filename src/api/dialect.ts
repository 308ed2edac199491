import type { LinkspanError } from '../base/errors.ts'
import type { ApiRequest } from './request.ts'
import type { Answer, Route } from './route.ts'

/** One REST API among those on the port: its routes, and how it says no. */
export interface Dialect {
  name: string
  /** Path prefixes that are its own; what is under none of any dialect answers as the first dialect would. */
  prefixes: readonly string[]
  routes: readonly Route[]
  /** `json`: bodies are parsed and checked. `stream`: the handler reads `request.stream` itself. */
  bodies: 'json' | 'stream'
  /** The answer to a caller whose request failed. Errors that are not ours come as `internal`, without their text. */
  onError: (error: LinkspanError, request: ApiRequest | undefined) => Answer
  onUnknownRoute: () => Answer
  onUnknownMethod: () => Answer
  /** What a route answers, by status, for the published description. */
  describeAnswers?: (route: Route) => Record<string, object>
  /** Looks at requests of the dialect before they are judged; what it throws is answered. */
  onRequest?: (request: ApiRequest) => void
}
