/* Kairos engagement: visible time, scroll depth, clicks and feature use of each page view.
 *
 *   <script src="https://collector.example/kairos-engagement.js"></script>
 *   <script>KairosEngagement.start({ analytics })</script>
 *
 * `analytics` is Segment's browser SDK (analytics.js snippet or analytics-next) or RudderStack's.
 * Pages may help:  <body data-kairos-page-type="product" data-kairos-product-id="p1">
 *                  <button data-kairos-feature="video_demo">, <tr data-kairos-spec="weight">
 */
(function (root) {
  'use strict'

  var HEARTBEAT_MS = 10000
  var SCROLL_MARKS = [25, 50, 75, 80, 90, 100]

  function newId() {
    if (root.crypto && root.crypto.randomUUID) return root.crypto.randomUUID()
    return 'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replace(/x/g, function () {
      return Math.floor(Math.random() * 16).toString(16)
    })
  }

  // Only time in which somebody could look at the page counts.
  function visibleTime(doc, now) {
    var seconds = 0
    var since = doc.visibilityState === 'hidden' ? null : now()
    return {
      pause: function () {
        if (since !== null) seconds += (now() - since) / 1000
        since = null
      },
      resume: function () {
        if (since === null) since = now()
      },
      seconds: function () {
        return seconds + (since === null ? 0 : (now() - since) / 1000)
      },
    }
  }

  function scrollPercent(doc) {
    var page = doc.documentElement
    var height = Math.max(page.scrollHeight, doc.body ? doc.body.scrollHeight : 0)
    var bottom = (root.pageYOffset || page.scrollTop) + root.innerHeight
    return height <= root.innerHeight ? 100 : Math.min(100, Math.round((bottom / height) * 100))
  }

  function attribute(doc, name) {
    var meta = doc.querySelector('meta[name="' + name.replace('data-', '').replace('-', ':') + '"]')
    return (doc.body && doc.body.getAttribute(name)) || (meta && meta.content) || undefined
  }

  function closest(element, name) {
    while (element && element.getAttribute) {
      if (element.getAttribute(name)) return element.getAttribute(name)
      element = element.parentNode
    }
  }

  function start(options) {
    var analytics = options.analytics || root.analytics
    var doc = root.document
    var now = options.now || function () { return root.performance.now() }
    var view, timer

    function beginView() {
      view = {
        id: newId(), clock: visibleTime(doc, now), scroll: 0, mark: 0, clicks: 0, specs: {}, specCount: 0,
        path: root.location.pathname, title: doc.title, sent: '', isOver: false,
      }
      watchSpecs()
    }

    function passedMark(percent) {
      return SCROLL_MARKS.filter(function (mark) { return percent >= mark }).length
    }

    function common(properties) {
      properties.page_view_id = view.id
      properties.path = view.path
      var product = attribute(doc, 'data-kairos-product-id')
      if (product) properties.product_id = product
      return properties
    }

    function engagement(isFinal) {
      var properties = common({
        engaged_seconds: Math.round(view.clock.seconds() * 10) / 10,
        scroll_percent: view.scroll,
        click_count: view.clicks,
        title: view.title,
        is_final: isFinal,
      })
      if (view.specCount) properties.spec_count = view.specCount
      var type = attribute(doc, 'data-kairos-page-type')
      if (type) properties.page_type = type
      return properties
    }

    function report(isHiding) {
      if (view.isOver) return
      var properties = engagement(false)
      var state = JSON.stringify(properties)
      if (state === view.sent) return
      view.sent = state
      if (!isHiding || !sendBeacon(properties)) analytics.track('Page Engaged', properties)
    }

    // The page may be gone before an SDK could answer, so the last word goes out as a beacon.
    function leave() {
      if (view.isOver) return
      view.isOver = true
      view.clock.pause()
      var properties = engagement(true)
      if (!sendBeacon(properties)) analytics.track('Page Engaged', properties)
    }

    function sendBeacon(properties) {
      var key = options.writeKey || setting('apiKey')
      var host = options.host || (setting('apiHost') && setting('protocol') + '://' + setting('apiHost').replace(/\/v1$/, ''))
      if (!key || !host || !root.navigator.sendBeacon) return false
      var at = new Date().toISOString()
      var event = {
        type: 'track', event: 'Page Engaged', messageId: 'kairos-' + newId(),
        anonymousId: user('anonymousId') || view.id, userId: user('id') || null,
        timestamp: at, properties: properties,
        context: { page: { path: view.path, title: view.title, url: root.location.href } },
      }
      var body = JSON.stringify({ writeKey: key, sentAt: at, batch: [event] })
      return root.navigator.sendBeacon(host + '/beacon/v1/batch?writeKey=' + encodeURIComponent(key), body)
    }

    function user(field) {
      var current = typeof analytics.user === 'function' ? analytics.user() : analytics.instance && analytics.instance.user()
      return current && typeof current[field] === 'function' ? current[field]() : undefined
    }

    function setting(name) {
      var instance = analytics.instance || analytics
      var settings = instance.settings && instance.settings.cdnSettings
      var segment = settings && settings.integrations && settings.integrations['Segment.io']
      var fallback = { protocol: 'https', apiKey: instance.settings && instance.settings.writeKey }
      return (segment && segment[name]) || fallback[name]
    }

    function onScroll() {
      view.scroll = Math.max(view.scroll, scrollPercent(doc))
      var mark = passedMark(view.scroll)
      if (mark > view.mark) {
        view.mark = mark
        report()
      }
    }

    function onClick(event) {
      view.clicks += 1
      feature(event)
    }

    function feature(event) {
      var name = closest(event.target, 'data-kairos-feature')
      if (name) analytics.track('Feature Used', common({ feature: name }))
    }

    function watchSpecs() {
      if (!root.IntersectionObserver) return
      var seen = view
      var observer = new root.IntersectionObserver(function (entries) {
        entries.forEach(function (entry) {
          var name = entry.target.getAttribute('data-kairos-spec')
          if (!entry.isIntersecting || seen.specs['$' + name]) return
          seen.specs['$' + name] = true
          seen.specCount += 1
        })
      })
      doc.querySelectorAll('[data-kairos-spec]').forEach(function (element) { observer.observe(element) })
    }

    function onVisibility() {
      if (doc.visibilityState === 'hidden') {
        view.clock.pause()
        report(true) // phones may never come back to say that the page was left
      } else {
        view.clock.resume()
      }
    }

    function onPageShow(event) {
      if (event.persisted) beginView() // back from the browser's cache: a new look at the page
    }

    // Single-page applications change the page without loading one; a page call says so.
    function onPageCall(properties) {
      if (view.isOver || root.location.pathname !== view.path) {
        leave()
        beginView()
      }
      view.title = doc.title
      properties.page_view_id = view.id
      return properties
    }

    function markPageCalls(call) {
      var event = call.payload.obj
      if (event.type === 'page') event.properties = onPageCall(event.properties || {})
      call.next(call.payload)
    }

    // For SDKs without middleware, such as RudderStack's: call this instead of analytics.page().
    function page(properties) {
      return analytics.page(onPageCall(Object.assign({}, properties)))
    }

    function stop() {
      root.clearInterval(timer)
      LISTENERS.forEach(function (one) { one[0].removeEventListener(one[1], one[2], one[3]) })
    }

    var LISTENERS = [
      [root, 'scroll', onScroll, { passive: true }],
      [doc, 'click', onClick, true],
      [doc, 'play', feature, true], // videos
      [doc, 'visibilitychange', onVisibility, false],
      [root, 'pagehide', leave, false],
      [root, 'pageshow', onPageShow, false],
    ]

    beginView()
    LISTENERS.forEach(function (one) { one[0].addEventListener(one[1], one[2], one[3]) })
    if (analytics.addSourceMiddleware) analytics.addSourceMiddleware(markPageCalls)
    timer = root.setInterval(function () {
      if (doc.visibilityState !== 'hidden') report()
    }, options.heartbeatMs || HEARTBEAT_MS)
    return { page: page, stop: stop, pageViewId: function () { return view.id } }
  }

  root.KairosEngagement = { start: start }
})(typeof window === 'undefined' ? globalThis : window)
