import { expect, it } from 'vitest'
import { firstAnswer } from '../../src/doors/staged.ts'

type Args = Parameters<typeof firstAnswer>

/** What `firstAnswer` returns, and what it remembers. */
async function answerTo(finished: object, response: Response) {
  const remembered: unknown[] = []
  const stub = { remember: (answer: unknown) => Promise.resolve(remembered.push(answer)) }
  const upload = { stub } as unknown as Args[0]
  const answer = await firstAnswer(upload, finished as Args[1], response)
  return { answer, remembered }
}

it('passes on a refusal of the origin unread if its length is not known, whatever its headers', async () => {
  const { readable } = new TransformStream<Uint8Array>()
  const response = new Response(readable, {
    status: 422,
    headers: { 'cache-control': 'no-store' },
  })
  const finished = { outcome: 'refused', passage: { isPassed: true } }
  const { answer, remembered } = await answerTo(finished, response)
  expect(answer).toBe(response)
  expect(remembered).toEqual([{ status: 422, headers: {}, body: '' }])
})

it('remembers a refusal of the gate with its body', async () => {
  const finished = { outcome: 'refused', passage: { isPassed: false } }
  const { answer, remembered } = await answerTo(finished, new Response('no', { status: 451 }))
  expect(await answer.text()).toBe('no')
  expect(remembered).toEqual([
    { status: 451, headers: { 'content-type': 'text/plain;charset=UTF-8' }, body: 'no' },
  ])
})
