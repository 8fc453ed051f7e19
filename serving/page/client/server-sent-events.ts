export interface ServerEvent {
  event: string;
  data: string;
}

/**
 * The events of a `text/event-stream` body as they come. The browser's own EventSource cannot send an API key.
 * A connection that breaks ends the events like one that is closed.
 */
export async function* eventsOf(response: Response): AsyncGenerator<ServerEvent> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let buffered = '';
  for (;;) {
    const part = await reader?.read().catch((error: unknown) => {
      if (error instanceof TypeError) return null;
      throw error;
    });
    if (!part || part.value === undefined) return;
    buffered += part.value.replaceAll('\r\n', '\n');
    const blocks = buffered.split('\n\n');
    buffered = blocks.pop() ?? '';
    for (const block of blocks) yield parse(block);
  }
}

function parse(block: string): ServerEvent {
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const [, name, value] = /^(event|data): ?(.*)$/.exec(line) ?? [];
    if (name === 'event' && value !== undefined) event = value;
    if (name === 'data' && value !== undefined) data.push(value);
  }
  return { event, data: data.join('\n') };
}
