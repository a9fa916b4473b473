-- What wrk sends, and its report as a line of JSON. Answers with an error status and broken connections are counted.
wrk.method = 'POST'
wrk.headers['Content-Type'] = 'application/json'
wrk.body = os.getenv('BODY')

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    'REPORT {"requests": %d, "seconds": %.6f, "p50": %.9f, "p99": %.9f, "errors": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
