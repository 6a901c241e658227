// A visit in headless Chromium: node browser.cjs <page url>. The page loads the SDK and our plugin.
const { chromium } = require('playwright-core')

async function visit(url) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  })
  const page = await browser.newPage({ viewport: { width: 1000, height: 800 } })
  const errors = []
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
  await page.goto(url)
  await page.waitForFunction(() => window.ready)
  for (const height of [1600, 2400, 3200]) {
    await page.evaluate((top) => window.scrollTo(0, top), height)
    await page.waitForTimeout(150)
  }
  await page.click('#plain')
  await page.click('[data-kairos-feature="video_demo"] b')
  await page.waitForTimeout(1500)
  const pageViewId = await page.evaluate(() => window.engagement.pageViewId())
  await page.goto('about:blank') // leaving sends the last word as a beacon
  await page.waitForTimeout(500)
  await browser.close()
  return { pageViewId, errors }
}

visit(process.argv[2]).then(
  (result) => { console.log(JSON.stringify(result)); process.exit(0) },
  (error) => { console.error(error); process.exit(1) },
)
