// A stand-in until the page is here: the newest frame as text.
const shown = document.getElementById('frame')
new EventSource('/__tracklane/stream').addEventListener('frame', (frame) => {
  shown.textContent = JSON.stringify(JSON.parse(frame.data), null, 2)
})
