// Programs that read forms as origins do, for comparison: those of npm in this process, PHP and Python where they are installed.

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import busboy from 'busboy'
import { formidable } from 'formidable'
import multer from 'multer'
import multiparty from 'multiparty'
import { addressOf } from '../../src/commands/child-server.ts'

/** Contents of the parts that a parser finds; `undefined` if it refuses. */
export type Parser = (body: Buffer, type: string) => Promise<Buffer[] | undefined>

async function withBusboy(body: Buffer, type: string): Promise<Buffer[] | undefined> {
  return new Promise((resolve) => {
    const parts: Buffer[] = []
    try {
      const parser = busboy({ headers: { 'content-type': type }, defCharset: 'latin1' })
      parser.on('file', (_, stream) => {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('error', () => undefined)
        stream.on('close', () => parts.push(Buffer.concat(chunks)))
      })
      parser.on('field', (_, value) => parts.push(Buffer.from(value, 'latin1')))
      parser.on('error', () => resolve(parts))
      parser.on('close', () => resolve(parts))
      parser.end(body)
    } catch {
      resolve(undefined)
    }
  })
}

async function withMultiparty(body: Buffer, type: string): Promise<Buffer[] | undefined> {
  return new Promise((resolve) => {
    const parts: Buffer[] = []
    const form = new multiparty.Form()
    form.on('part', (part) => {
      const chunks: Buffer[] = []
      part.on('data', (chunk: Buffer) => chunks.push(chunk))
      part.on('error', () => undefined)
      part.on('end', () => parts.push(Buffer.concat(chunks)))
    })
    form.on('error', () => resolve(parts))
    form.on('close', () => resolve(parts))
    form.parse(requestOf(body, type))
  })
}

/** busboy as Express has it: `any()` takes files of all names. */
async function withMulter(body: Buffer, type: string): Promise<Buffer[] | undefined> {
  const request = requestOf(body, type) as IncomingMessage & {
    body?: Record<string, unknown>
    files?: { buffer: Buffer }[]
  }
  const middleware = multer({ storage: multer.memoryStorage(), defParamCharset: 'utf8' }).any()
  return new Promise((resolve) => {
    type Arguments = Parameters<typeof middleware>
    middleware(request as unknown as Arguments[0], {} as Arguments[1], (error?: unknown) => {
      if (error !== undefined && error !== null) return resolve(undefined)
      const fields = textsIn(request.body).map((text) => Buffer.from(text))
      resolve([...(request.files ?? []).map(({ buffer }) => buffer), ...fields])
    })
  })
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}

async function withFormidable(body: Buffer, type: string): Promise<Buffer[] | undefined> {
  const uploadDir = mkdtempSync(join(tmpdir(), 'hashgate-formidable-'))
  const form = formidable({ uploadDir, allowEmptyFiles: true, minFileSize: 0, multiples: true })
  try {
    const [fields, files] = await form.parse(requestOf(body, type))
    const kept = Object.values(files).flatMap((some) => some ?? [])
    const texts = Object.values(fields).flatMap((some) => some ?? [])
    return [
      ...kept.map(({ filepath }) => readFileSync(filepath)),
      ...texts.map((text) => Buffer.from(text)),
    ]
  } catch {
    return undefined
  } finally {
    rmSync(uploadDir, { recursive: true, force: true, maxRetries: 5 }) // it may still write files of a broken form
  }
}

/** What these parsers ask of a request. */
function requestOf(body: Buffer, type: string): IncomingMessage {
  return Object.assign(Readable.from([body]), {
    headers: { 'content-type': type, 'content-length': String(body.length) },
  }) as unknown as IncomingMessage
}

async function withUndici(body: Buffer, type: string): Promise<Buffer[] | undefined> {
  try {
    const headers = { 'content-type': type }
    const form = await new Response(new Uint8Array(body), { headers }).formData()
    const values = [...form.values()].map(async (value) =>
      typeof value === 'string' ? Buffer.from(value) : Buffer.from(await value.arrayBuffer()),
    )
    return await Promise.all(values)
  } catch {
    return undefined
  }
}

export const NPM_PARSERS: Record<string, Parser> = {
  busboy: withBusboy,
  formidable: withFormidable,
  multer: withMulter,
  multiparty: withMultiparty,
  undici: withUndici,
}

const PHP_ROUTER = `<?php
$all = [];
array_walk_recursive($_POST, function ($value) use (&$all) { $all[] = base64_encode($value); });
array_walk_recursive($_FILES, function ($value, $key) use (&$all) {
  if (is_string($value) && is_uploaded_file($value)) $all[] = base64_encode(file_get_contents($value));
});
header('content-type: application/json');
echo json_encode($all);
`

/** A parser that is a server of PHP, and how to stop it; `undefined` where there is no PHP. */
export async function startPhp(): Promise<{ parse: Parser; stop: () => void } | undefined> {
  if (spawnSync('php', ['-v']).status !== 0) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'hashgate-php-'))
  writeFileSync(join(folder, 'router.php'), PHP_ROUTER)
  const limits = ['upload_max_filesize=64M', 'post_max_size=64M', 'display_errors=0']
  const options = [...limits.flatMap((limit) => ['-d', limit]), '-S', '127.0.0.1:0']
  const server = spawn('php', [...options, join(folder, 'router.php')])
  const url = await addressOf(server, /Development Server \((http:\/\/[\d.:]+)\) started/)
  if (url === undefined) throw new Error('PHP does not answer')
  const parse: Parser = async (body, type) => {
    const headers = { 'content-type': type }
    const answer = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) })
    const found = (await answer.json()) as string[]
    return found.map((content) => Buffer.from(content, 'base64'))
  }
  return { parse, stop: () => void server.kill() }
}

/** Reads a line of JSON for each form, and answers with one. */
const PYTHON = {
  werkzeug: `
import sys, json, base64, io
from werkzeug.formparser import parse_form_data
for line in sys.stdin:
    case = json.loads(line)
    body = base64.b64decode(case['body'])
    environ = {'REQUEST_METHOD': 'POST', 'CONTENT_TYPE': case['type'], 'CONTENT_LENGTH': str(len(body)), 'wsgi.input': io.BytesIO(body)}
    try:
        _, form, files = parse_form_data(environ)
        found = [v.encode('utf-8', 'surrogateescape') for _, v in form.items(multi=True)] + [f.read() for _, f in files.items(multi=True)]
    except Exception:
        found = None
    print(json.dumps(None if found is None else [base64.b64encode(one).decode() for one in found]), flush=True)
`,
  django: `
import sys, json, base64, io
import django
from django.conf import settings
settings.configure(DEFAULT_CHARSET='utf-8', DATA_UPLOAD_MAX_MEMORY_SIZE=None)
from django.http.multipartparser import MultiPartParser
from django.core.files.uploadhandler import MemoryFileUploadHandler
for line in sys.stdin:
    case = json.loads(line)
    body = base64.b64decode(case['body'])
    meta = {'CONTENT_TYPE': case['type'], 'CONTENT_LENGTH': str(len(body))}
    try:
        post, files = MultiPartParser(meta, io.BytesIO(body), [MemoryFileUploadHandler()]).parse()
        found = [v.encode('utf-8', 'surrogateescape') for _, vs in post.lists() for v in vs] + [f.read() for _, fs in files.lists() for f in fs]
    except Exception:
        found = None
    print(json.dumps(None if found is None else [base64.b64encode(one).decode() for one in found]), flush=True)
`,
}

/** Go's `mime/multipart`: what `ParseMultipartForm` keeps, and what is read of the parts before it fails. */
const GO = `package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"os"
)

func main() {
	in := bufio.NewReader(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\\n')
		var form struct {
			Body []byte
			Type string
		}
		if json.Unmarshal(line, &form) == nil {
			out.Encode(parse(form.Body, form.Type))
		}
		if err != nil {
			return
		}
	}
}

func parse(body []byte, mediaType string) [][]byte {
	_, params, err := mime.ParseMediaType(mediaType)
	if err != nil {
		return nil
	}
	reader := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	found := [][]byte{}
	for {
		part, err := reader.NextRawPart()
		if err != nil {
			return found
		}
		content, _ := io.ReadAll(part)
		found = append(found, content)
	}
}
`

/** A form as a request has it. */
interface Form {
  body: Buffer
  type: string
}

/** What a library of Python finds in forms, all at once; `undefined` where it is not installed. */
export function parseWithPython(
  library: keyof typeof PYTHON,
  forms: readonly Form[],
): (Buffer[] | undefined)[] | undefined {
  const python = ['/usr/bin/python3', 'python3'].find(
    (path) => spawnSync(path, ['-c', `import ${library}`]).status === 0,
  )
  return python === undefined ? undefined : parseAll(python, ['-c', PYTHON[library]], forms)
}

/** What Go finds in forms; `undefined` where it is not installed. */
export function parseWithGo(forms: readonly Form[]): (Buffer[] | undefined)[] | undefined {
  if (spawnSync('go', ['version']).status !== 0) return undefined
  const file = join(mkdtempSync(join(tmpdir(), 'hashgate-go-')), 'main.go')
  writeFileSync(file, GO)
  return parseAll('go', ['run', file], forms)
}

/** Gives a program a line of JSON for each form, and reads one for each. */
function parseAll(
  program: string,
  options: readonly string[],
  forms: readonly Form[],
): (Buffer[] | undefined)[] {
  const input = forms
    .map(({ body, type }) => JSON.stringify({ body: body.toString('base64'), type }))
    .join('\n')
  const { stdout } = spawnSync(program, options, { input, maxBuffer: 1 << 30 })
  const lines = stdout.toString().trim().split('\n')
  return lines.map((line) => {
    const found = JSON.parse(line) as string[] | null
    return found?.map((content) => Buffer.from(content, 'base64'))
  })
}
