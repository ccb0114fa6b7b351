import Testing

@testable import Kernel

@Suite struct SecretTextTests {
  @Test(arguments: [
    ("http://a:80/metrics", "http://a:80/metrics"),
    ("http://a/m?page=1&Api_Key=x&b", "http://a/m?page=1&Api_Key=xxxxx&b"),
    ("http://a/m?token=x=y&auth_token=", "http://a/m?token=xxxxx&auth_token=xxxxx"),
    ("https://me:pa:ss@a:1/x@y?q=1", "https://me:xxxxx@a:1/x@y?q=1"),
    ("https://me@a/x:y@z", "https://me@a/x:y@z"), ("no url", "no url"), ("", ""),
  ])
  func redaction(_ url: String, _ shown: String) {
    #expect(SecretText.redacted(url: url) == shown)
  }
}
