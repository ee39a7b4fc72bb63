// Runs before a tenant's code, in the same realm: takes away what reaches outside, then reports what came of it.
// A report is a line that begins with a token which the code never sees, so nothing that it writes is taken for one.
{
  const { exit, stdin, stdout } = Deno;
  const { parse, stringify } = JSON;
  const { createObjectURL } = URL;
  const text = String;
  const NativeDate = Date;
  const encoder = new TextEncoder();
  const encode = encoder.encode.bind(encoder);
  const write = stdout.writeSync.bind(stdout);
  const define = Object.defineProperty;
  // Bound now, so that nothing which the code changes later is called.
  const free = (method) => Function.prototype.call.bind(method);
  const slice = free(String.prototype.slice);
  const rest = free(Uint8Array.prototype.subarray);
  const sizeOf = free(Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), "length").get);

  function read() {
    const chunks = [];
    const chunk = new Uint8Array(65536);
    for (let size = stdin.readSync(chunk); size !== null; size = stdin.readSync(chunk)) {
      chunks.push(chunk.slice(0, size));
    }
    return new Blob(chunks).text();
  }

  const { token, source, inputs, type } = parse(await read());

  function report(kind, value) {
    const bytes = encode("\n" + token + kind + value + "\n");
    for (let sent = write(bytes); sent < sizeOf(bytes);) sent += write(rest(bytes, sent));
  }

  function describe(error) {
    let message = "an error that cannot be shown", stack = "";
    try {
      message = error instanceof Error ? text(error) : "thrown: " + text(error);
      stack = error instanceof Error ? text(error.stack) : "";
    } catch { /* An error may be made so that it throws again. */ }
    return stringify([slice(message, 0, 2000), slice(stack, 0, 20000)]);
  }

  function end(kind, value) {
    report(kind, value);
    exit(0);
  }

  const inspect = Deno.inspect;
  const options = { colors: false, depth: 4 };
  const print = (...values) => {
    let line = "";
    for (let at = 0; at < values.length; at++) {
      const value = values[at];
      line += (at ? " " : "") + (typeof value === "string" ? value : inspect(value, options));
    }
    report("log", stringify(slice(line, 0, 65536) + "\n"));
  };
  const console = {};
  for (const name of ["log", "info", "warn", "error", "debug", "trace", "dir"]) console[name] = print;
  define(globalThis, "console", { value: console, writable: true, configurable: true });

  const noClock = () => {
    throw new TypeError("there is no clock; pass trigger.due in inputs");
  };
  function TimelessDate(...parts) {
    if (new.target === undefined || parts.length === 0) noClock();
    return Reflect.construct(NativeDate, parts, new.target);
  }
  TimelessDate.prototype = NativeDate.prototype;
  TimelessDate.UTC = NativeDate.UTC;
  TimelessDate.parse = NativeDate.parse;
  TimelessDate.now = noClock;
  define(TimelessDate, "name", { value: "Date" });
  define(NativeDate.prototype, "constructor", { value: TimelessDate });
  globalThis.Date = TimelessDate;
  const formats = Intl.DateTimeFormat.prototype;
  const { get: formatter } = Object.getOwnPropertyDescriptor(formats, "format");
  const { formatToParts } = formats;
  define(formats, "format", {
    get() {
      const format = formatter.call(this);
      return (moment) => moment === undefined ? noClock() : format(moment);
    },
  });
  define(formats, "formatToParts", {
    value(moment) {
      return moment === undefined ? noClock() : formatToParts.call(this, moment);
    },
  });
  if (globalThis.Temporal) delete Temporal.Now;

  const OUTSIDE = [
    "Deno", "fetch", "Request", "Response", "WebSocket", "WebSocketStream", "WebTransport", "EventSource", "Worker",
    "BroadcastChannel", "MessageChannel", "caches", "Cache", "CacheStorage", "localStorage", "sessionStorage",
    "Storage", "alert", "confirm", "prompt", "close", "navigator", "Navigator", "location", "Location", "process",
    "Buffer", "global", "performance", "Performance", "PerformanceEntry", "PerformanceMark", "PerformanceMeasure",
    "PerformanceObserver", "File", "FileReader", "WebAssembly", "SharedArrayBuffer", "ShadowRealm",
    "importScripts", "GPU", "self", "window",
  ];
  for (const name of OUTSIDE) delete globalThis[name];

  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    end("error", describe(event.reason));
  });
  addEventListener("error", (event) => {
    event.preventDefault();
    end("error", describe(event.error));
  });

  const url = createObjectURL(new Blob([source], { type }));
  report("place", stringify(url));
  let code;
  try {
    code = (await import(url)).default;
  } catch (error) {
    end("syntax", describe(error));
  }
  let result;
  try {
    result = await code(inputs);
  } catch (error) {
    end("error", describe(error));
  }
  let value;
  try {
    value = stringify(result);
  } catch (error) {
    end("output", describe(error));
  }
  end("value", value === undefined ? "null" : value);
}
