import { report } from './report.js'

export default {
  async fetch(request) {
    const [answer] = await report([await request.arrayBuffer()])
    return Response.json(answer)
  },
}
