/**
 * What the containers of the contract run. An engine without processes recognises a program by its exact
 * command and does what its line says.
 */
const shell = (script: string): readonly string[] => ['/bin/sh', '-c', script]

export const programs = {
  /** runs until SIGTERM, then exits 0 */
  idle: shell('trap "exit 0" TERM; while :; do sleep 0.05; done'),
  /** runs on through SIGTERM */
  stubborn: shell('trap "" TERM; while :; do sleep 0.05; done'),
  /** runs on, without a word about signals */
  careless: ['/bin/sleep', '1000'],
  /** exits 3 at once */
  crash: shell('exit 3'),
  /** three lines on standard output, one on standard error, then exits 0 */
  talk: shell('echo one; echo two; echo oops >&2; sleep 0.1; echo three'),
  /** one line of 40 000 bytes, then exits 0 */
  talkLong: shell("head -c 40000 /dev/zero | tr '\\0' x; echo"),
  /** a line on its terminal, then exits 0 */
  talkJson: shell('echo \'{"level":"info"}\''),
} as const

/** What is executed in running containers. */
export const commands = {
  /** `hi` on standard output, `no` on standard error, exits 3 */
  both: shell('echo hi; sleep 0.05; echo no >&2; exit 3'),
  /** 100 000 bytes of `x`, exits 0 */
  flood: shell("head -c 100000 /dev/zero | tr '\\0' x"),
  /** exits 0 where there is a network, 1 where there is none but the loopback */
  hasNetwork: shell('test -e /sys/class/net/eth0'),
  /** 30 s of silence */
  sleep: ['/bin/sleep', '30'],
  /** standard input to standard output */
  echo: ['/bin/cat'],
  /** reads a line, writes `broken` to standard error, exits 4 */
  fail: shell('read line; echo broken >&2; exit 4'),
} as const
