extension StatusPage {
  /// Everything up to the page's body; colours follow the reader's light or dark setting.
  static func head(title: String) -> String {
    """
    <!doctype html><html lang=en><head><meta charset=utf-8>\
    <meta name=viewport content="width=device-width,initial-scale=1"><title>\(title)</title><style>
    :root{color-scheme:light dark;--bg:#fff;--fg:#1b1d21;--dim:#666c75;--line:#e3e5e8;--chip:#f1f2f4;
    --red:#b91c1c;--amber:#9a5b00;--green:#1c7a3a;--link:#1558b0}
    @media(prefers-color-scheme:dark){:root{--bg:#15171a;--fg:#e6e8eb;--dim:#9aa1ab;--line:#2b2f35;
    --chip:#22262b;--red:#ff8080;--amber:#f5b84a;--green:#6fce8c;--link:#8ab8ff}}
    body{font:14px/1.45 system-ui,"Noto Sans","Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif;
    margin:0 auto;max-width:84rem;padding:0 1rem 2rem;background:var(--bg);color:var(--fg)}
    header{display:flex;flex-wrap:wrap;gap:.2rem 2rem;align-items:baseline;padding:.9rem 0 .5rem;
    border-bottom:2px solid var(--line);position:sticky;top:0;background:var(--bg)}
    h1{font-size:1.3rem;margin:0}nav a{color:inherit;text-decoration:none;margin-right:1.4rem;white-space:nowrap}
    h2{font-size:1.1rem;margin:1.4rem 0 .3rem;scroll-margin-top:3.5rem}h3{font-size:1rem;margin:1rem 0 .2rem}
    small,.note,footer,i{color:var(--dim);font-weight:normal}i{font-style:normal;font-size:.92em}
    table{border-collapse:collapse;width:100%}th{text-align:left;font-weight:600;color:var(--dim);font-size:.92em}
    td,th{padding:.25rem .9rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}
    tr>:first-child{width:5.5rem}.rules tr>:nth-child(2){width:30%}.alerts tr>:nth-child(2){width:42%}
    tr>:last-child{padding-right:0}.past tr>:first-child{width:9.5rem}.past tr>:nth-child(2){width:9rem}
    .n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
    strong{font-weight:600;overflow-wrap:anywhere}.text{overflow-wrap:anywhere;max-width:48rem;white-space:pre-line}
    code,pre{font:12.5px/1.4 ui-monospace,"SF Mono","DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
    pre{background:var(--chip);border-radius:4px;padding:.6rem .8rem;overflow-x:auto;white-space:pre-wrap}
    .chips{margin-top:.1rem}.chips code{background:var(--chip);border-radius:3px;padding:.05rem .3rem;
    box-decoration-break:clone;-webkit-box-decoration-break:clone}
    .firing,.down,.error,.quarantined,.refused,.abandoned,.open{color:var(--red)}.pending,.retrying{color:var(--amber)}
    .up,.inactive,.accepted,.closed{color:var(--green)}
    .recording,.unknown,.inactive{font-weight:normal}.recording,.unknown{color:var(--dim)}
    a{color:var(--link)}footer{margin:2rem 0 0}summary{cursor:pointer;margin:.5rem 0}
    @media(max-width:42rem){header{position:static}nav a{display:inline-block;padding:.2rem 0}
    table,tbody,tr,td{display:block;width:auto!important}th{display:none}
    tr{border-bottom:1px solid var(--line);padding:.4rem 0}td{border:0;padding:.1rem 0}
    .n{text-align:left;color:var(--dim)}td.n:not(:empty)::before{content:attr(data-is) " "}}
    </style></head><body>
    """
  }
}
