// Everything that comes from outside is shown through textContent, so none of it can become markup.

const LIMIT = 10
const PAUSE = 100 // milliseconds without a keystroke before the server is asked

const GONE = 'The server does not answer. To start it again, type:  jina hello search --serve'

const $ = (id) => document.getElementById(id)

let matches = [] // what the list shows, nearest first
let selected = -1 // the row that Enter opens
let answered = '' // the query that the list answers
let latest = 0 // the number of the last question: answers to earlier ones are dropped
let timer = 0

// --- asking ---

async function ask(query) {
  const response = await fetch('/search', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ data: [{ text: query }], parameters: { limit: LIMIT } }),
  })
  const answer = await response.json()
  if (!response.ok) throw new Error(answer.status?.description || response.statusText)
  return answer.data?.docs?.[0]?.matches ?? []
}

async function search(query) {
  const number = ++latest
  clearTimeout(timer)
  history.replaceState(null, '', query ? `?q=${encodeURIComponent(query)}` : location.pathname)
  closeDetail()
  if (!query) return showResults([], '')
  try {
    const started = performance.now()
    const found = await ask(query)
    const took = Math.max(1, Math.round(performance.now() - started))
    if (number !== latest) return
    answered = query
    showResults(found, found.length ? `The ${found.length} nearest, found in ${took} ms` : 'Nothing found')
  } catch (error) {
    if (number === latest) showError(error)
  }
}

// --- showing ---

function showResults(found, message) {
  matches = found
  $('results').replaceChildren(...found.map(row))
  $('results').hidden = !found.length
  $('examples').hidden = Boolean(query())
  $('query').setAttribute('aria-expanded', String(found.length > 0))
  showStatus(message)
  select(found.length ? 0 : -1)
}

function showError(error) {
  answered = '' // so that Enter asks once more
  const gone = error instanceof TypeError // what fetch raises when nothing answers
  showResults([], '')
  showStatus(gone ? GONE : `The search failed: ${error.message}`, true)
}

function showStatus(message, failed = false) {
  $('status').textContent = message
  $('status').classList.toggle('failed', failed)
}

function row(match, index) {
  const item = $('result').content.firstElementChild.cloneNode(true)
  item.id = `result-${index}`
  item.querySelector('.name').textContent = match.tags.name
  item.querySelector('.line').textContent = match.text.split('\n', 1)[0]
  item.querySelector('.score').textContent = (1 - (match.scores?.cosine?.value ?? 0)).toFixed(2)
  item.addEventListener('click', () => openDetail(index))
  return item
}

function select(index) {
  selected = index
  for (const [i, item] of [...$('results').children].entries()) item.setAttribute('aria-selected', String(i === index))
  $('query').setAttribute('aria-activedescendant', index < 0 ? '' : `result-${index}`)
  $(`result-${index}`)?.scrollIntoView({ block: 'nearest' })
}

function openDetail(index) {
  const { text, tags } = matches[index]
  select(index)
  $('module').textContent = tags.module === 'builtins' ? 'built in' : `import ${tags.module}`
  $('name').textContent = tags.name
  $('signature').textContent = tags.name.split('.').pop() + (tags.signature || '(…)')
  $('text').textContent = text
  $('detail').hidden = false
  $('main').classList.add('open')
  $('detail').scrollTop = 0
  $('detail').focus()
}

function closeDetail() {
  $('detail').hidden = true
  $('main').classList.remove('open')
}

// --- listening ---

const query = () => $('query').value.trim()

function move(step) {
  if (matches.length) select((selected + step + matches.length) % matches.length)
}

function goBack() {
  if ($('detail').hidden) $('query').value = ''
  if ($('detail').hidden) search('')
  closeDetail()
  $('query').focus()
}

$('query').addEventListener('input', () => {
  clearTimeout(timer)
  timer = setTimeout(() => search(query()), PAUSE)
})

$('query').addEventListener('keydown', (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (!step || event.isComposing) return
  event.preventDefault()
  move(step)
})

$('form').addEventListener('submit', (event) => {
  event.preventDefault()
  if (answered !== query()) search(query())
  else if (selected >= 0) openDetail(selected)
})

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || event.isComposing) return
  event.preventDefault()
  goBack()
})

$('close').addEventListener('click', goBack)

for (const example of document.querySelectorAll('#examples button')) {
  example.addEventListener('click', () => {
    $('query').value = example.textContent
    $('query').focus()
    search(query())
  })
}

$('query').value = new URLSearchParams(location.search).get('q') ?? ''
search(query())
