import { describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config/config.ts'
import { Router } from '../../src/policy/routes.ts'

function chosen(routes: object[], url: string, method = 'POST') {
  const router = new Router(readConfig({ HASHGATE: { policy: { routes } } }))
  const route = router.choose({ method, url: new URL(url, 'https://a.example').href })
  return route && (route.label ?? 'default')
}

const UPLOADS = [
  { paths: ['/upload/*', '/api/:version/media'], label: 'public' },
  { paths: ['/static/*'], gated: false, label: 'private' },
]

describe('Router', () => {
  it.each([
    ['/upload/a', 'public'],
    ['/UPLOAD/a', 'public'],
    ['/upload/a/b?c=/static/', 'public'],
    ['/api/v1/media', 'public'],
    ['/api/v1/media/x', 'default'],
    ['/static/x.js', 'private'],
    ['/', 'default'],
    ['/upload/mein%20Bild.jpg', 'public'],
    ['/upload/%E4%BD%A0.jpg', 'public'],
    ['/upload//a', 'public'],
    ['/upload/100%', 'public'],
  ])('chooses by path: %s', (path, label) => {
    expect(chosen(UPLOADS, path)).toBe(label)
  })

  it.each([
    '/static/..%2fupload/a',
    '/static/%2e%2e%2fupload/a',
    '/static/..%252fupload/a',
    '/static/..%5cupload/a',
    '/static/..;/upload/a',
    '//upload/a',
    '/%75pload/a',
    '/upload;x=1/a',
    '/./%2e/upload/..%2f..%2fstatic/a',
    '/%2575pload/a',
    // Unescaped, but with its dots: to an origin that compares prefixes this is an upload.
    '/%75pload/..%2fx/a',
    '/%252575pload/a',
    '/static/..%25252fupload/a',
    // Bytes that are not UTF-8 beside a slash, for origins whose paths are bytes.
    '/static/x%ff%2f..%2f..%2fupload/a',
    '/static/%ff%2f..%2f..%2fupload%ff/a',
  ])('chooses none where an origin may read another path: %s', (path) => {
    expect(chosen(UPLOADS, `https://a.example${path}`)).toBeUndefined()
  })

  it.each([
    ['/', '//', undefined],
    ['/', '/./;x/', undefined],
    ['/upload/', '//upload/', undefined],
    ['/upload/', '//upload%5c', undefined],
    ['/upload', '//upload/', 'default'],
    ['/upload/', '//upload', 'default'],
  ])(
    'tells paths apart by the slash at their end: a route for %s, sent %s',
    (route, path, label) => {
      expect(chosen([{ paths: [route], label: 'public' }], `https://a.example${path}`)).toBe(label)
    },
  )

  it('chooses by host and method, and the first that fits', () => {
    const routes = [
      { hosts: ['*.media.example'], methods: ['PUT'], label: 'private' },
      { hosts: ['*.media.example'], label: 'public' },
    ]
    expect(chosen(routes, 'https://x.media.example/a', 'PUT')).toBe('private')
    expect(chosen(routes, 'https://X.MEDIA.EXAMPLE/a')).toBe('public')
    expect(chosen(routes, 'https://x.media.example./a')).toBe('public')
    expect(chosen(routes, 'https://media.example/a')).toBe('default')
    expect(chosen(routes, 'https://x.media.example.evil/a')).toBe('default')
  })

  it('has the settings of the route, and the common ones for what it does not say', () => {
    const routes = [{ onUnscannable: 'refuse', maxFiles: 3, mode: 'shadow', skipFields: ['note'] }]
    const router = new Router(readConfig({ HASHGATE: { policy: { onFailed: 'allow', routes } } }))
    const route = router.choose({ method: 'POST', url: 'https://a.example/' })
    expect(route).toMatchObject({ isShadow: true, isGated: undefined, label: undefined })
    expect(route?.config).toMatchObject({
      policy: { onUnscannable: 'refuse', onFailed: 'allow' },
      body: { maxFiles: 3, skipFields: ['note'] },
    })
  })
})
