import { toJsonSchema } from '@valibot/to-json-schema'
import type { GenericSchema } from 'valibot'
import { ACCESS_HEADER } from './access.ts'
import { ProblemAnswer } from './answers.ts'
import type { AnswerDescription, BodyDescription, QueryParameter, Route } from './route.ts'

/** Version of the API, not of this program. */
const API_VERSION = '1'

const PROBLEM_TYPE = 'application/problem+json'

/** Describes an answer of problem details. */
export function describedProblem(
  title: string,
  status: number,
  more: object = {},
): AnswerDescription {
  return {
    description: title,
    type: PROBLEM_TYPE,
    schema: ProblemAnswer,
    example: { type: 'about:blank', title, status, ...more },
  }
}

const DENIALS: Record<number, AnswerDescription> = {
  401: denial('A valid key is required.', 401, 'Unauthorized'),
  403: denial('The key lacks the scope.', 403, 'Forbidden'),
  405: denial('This path has other methods.', 405, 'Method not allowed'),
  503: denial('The token cannot be verified right now.', 503, 'Service unavailable'),
  500: denial('Something broke.', 500, 'Internal server error'),
}

function denial(description: string, status: number, title: string): AnswerDescription {
  return { ...describedProblem(title, status), description }
}

/**
 * Describes routes in OpenAPI 3.1.
 * @param base prefix of their paths
 */
export function openApiDocument(routes: readonly Route[], base = ''): object {
  const paths = [...Map.groupBy(routes, ({ path }) => path)].map(([path, some]) => {
    const operations = some.map((route) => [route.method.toLowerCase(), describeRoute(route)])
    return [path, Object.fromEntries(operations)]
  })
  return {
    openapi: '3.1.1',
    info: {
      title: 'hashgate',
      version: API_VERSION,
      description:
        'Verdicts on files and hashes, and the routes that clients of hasher-matcher-actioner (HMA) use.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: base || '/' }],
    security: [{ key: [] }, { access: [] }],
    paths: Object.fromEntries(paths),
    components: {
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'A key from API_KEYS.' },
        access: { type: 'apiKey', in: 'header', name: ACCESS_HEADER },
      },
    },
  }
}

function describeRoute(route: Route): object {
  const { scope, summary, description, query, bodies, answers, path, method } = route
  const scopeText = scope ? ` Needs the scope ${scope}.` : ''
  return {
    operationId: `${method.toLowerCase()}${path.replaceAll(/[^a-z0-9]+/gi, '_')}`,
    summary,
    description: description + scopeText,
    ...(query && { parameters: query.map(describeParameter) }),
    ...(bodies && { requestBody: { required: true, content: mediaTypes(bodies) } }),
    responses: responsesOf(answers),
  }
}

/** Answers of a route, and those that all routes have. */
function responsesOf(answers: Route['answers']): object {
  const all = Map.groupBy(
    [...Object.entries(DENIALS), ...Object.entries(answers)],
    ([status]) => status,
  )
  const responses = [...all].map(([status, some]) => {
    const described = some.map(([, one]) => responseOf(one))
    const content = Object.assign({}, ...described.map((one) => one.content ?? {})) as object
    return [status, { ...described.at(-1), ...(Object.keys(content).length > 0 && { content }) }]
  })
  return Object.fromEntries(responses) as object
}

function describeParameter({ name, description, isRequired = false }: QueryParameter): object {
  return { name, in: 'query', description, required: isRequired, schema: { type: 'string' } }
}

function mediaTypes(bodies: readonly BodyDescription[]): object {
  return Object.fromEntries(
    bodies.map(({ type, schema, example }) => [
      type,
      {
        ...(schema !== 'file' && { schema: schemaOf(schema) }),
        ...(example !== undefined && { example }),
      },
    ]),
  )
}

function responseOf({
  description,
  type = 'application/json',
  schema,
  example,
}: AnswerDescription) {
  const content = schema && {
    [type]: { schema: schemaOf(schema), ...(example !== undefined && { example }) },
  }
  return { description, ...(content && { content }) }
}

/** The JSON Schema of what a caller sends or gets. */
function schemaOf(schema: GenericSchema): object {
  const { $schema: _, ...rest } = toJsonSchema(schema, {
    target: 'draft-2020-12',
    typeMode: 'input',
    ignoreActions: ['check'], // what no schema can say
  })
  return rest
}
