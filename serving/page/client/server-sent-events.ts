/**
 * The data of the events of a `text/event-stream` body as they come; signs of life have none and are passed over. The
 * browser's own EventSource cannot send an API key. A connection that breaks ends the events like one that is closed.
 */
export async function* eventData(response: Response): AsyncGenerator<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let buffered = '';
  for (;;) {
    const part = await reader?.read().catch((error: unknown) => {
      if (error instanceof TypeError) return null;
      throw error;
    });
    if (!part || part.value === undefined) return;
    buffered += part.value;
    const events = buffered.split('\n\n');
    buffered = events.pop() ?? '';
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (data !== undefined) yield data;
    }
  }
}
