/// The style sheet of the page: system fonts, light and dark, print, phones.
package enum Stylesheet {
  /// SHA-256 of `text` in Base64, which the page's content security policy admits and nothing else.
  /// A test recomputes it and prints the new value after a change.
  package static let digest = "IOSh+qlgkKTDQ1vXeIjK4CMadyJKTOdmdwWAcPUMUs8="

  /// The style sheet.
  package static let text = """
    :root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--soft:#59626c;--rule:#d8dde2;--panel:#f6f7f9;
    --accent:#0b5c9e;--band:#a9cdea;--null:#747c85;--leak:#9c2f0c;--leakbg:#fdf2ec;--calm:#1d4f7c;--calmbg:#eef4fa;
    --h0:#edf4fb;--h1:#d5e6f5;--h2:#b5d3ed;--h3:#8dbce3;--h4:#63a3d6;--h5:#2f73b0;--h6:#1c5691;--h7:#0e3a69;
    --hl:#12263a;--hd:#fff}
    @media screen and (prefers-color-scheme:dark){:root{--bg:#14181c;--fg:#e7eaed;--soft:#a7b0b9;--rule:#343c44;--panel:#1c2227;
    --accent:#7fbcf2;--band:#274d6e;--null:#98a1aa;--leak:#ffb291;--leakbg:#2e1d15;--calm:#a9d0f5;--calmbg:#17273a;
    --h0:#1a2733;--h1:#1c3348;--h2:#1e4161;--h3:#21517c;--h4:#28659a;--h5:#6aaade;--h6:#98c7ee;--h7:#cfe5f8;
    --hl:#f2f7fb;--hd:#0b1c2c}}
    *{box-sizing:border-box}
    html{-webkit-text-size-adjust:100%}
    body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,
    "Helvetica Neue","Liberation Sans",Arial,sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
    .page{max-width:1080px;margin:0 auto;padding:28px 24px 64px}
    .top{display:flex;flex-wrap:wrap;gap:2px 18px;color:var(--soft);font-size:14px;padding-bottom:14px}
    .top strong{color:var(--fg);font-weight:600}
    h1{font-size:clamp(23px,3.6vw,33px);line-height:1.22;font-weight:650;letter-spacing:-.012em;margin:8px 0 12px;
    text-wrap:balance}
    h2{font-size:21px;line-height:1.3;font-weight:650;letter-spacing:-.006em;margin:0 0 6px}
    h3{font-size:16px;font-weight:650;margin:22px 0 6px}
    section{border-top:1px solid var(--rule);margin-top:38px;padding-top:22px}
    p{margin:0 0 12px;max-width:74ch}
    a{color:var(--accent)}
    .verdict{border:0;margin:0;padding:24px 26px 20px;border-radius:10px;background:var(--calmbg);
    border-left:6px solid var(--calm)}
    .leak_found{background:var(--leakbg);border-color:var(--leak)}
    .badge{display:inline-block;font-size:13px;font-weight:650;letter-spacing:.03em;padding:2px 11px;border-radius:99px;
    color:var(--calm);border:1.5px solid currentColor}
    .leak_found .badge{color:var(--leak)}
    .act{margin:14px 0 0;display:grid;gap:8px;padding:0}
    .act div{display:grid;grid-template-columns:9.5em 1fr;gap:0 12px;max-width:88ch}
    dt{font-weight:650}
    dd{margin:0}
    .cards{display:grid;grid-template-columns:repeat(4,1fr);gap:12px;margin:16px 0 0}
    @media (max-width:940px){.cards{grid-template-columns:1fr 1fr}}
    .card{border:1px solid var(--rule);border-radius:10px;padding:14px 16px 13px;display:flex;flex-direction:column}
    .card h3{margin:0;font-size:14px;font-weight:600;color:var(--soft)}
    .card .big{font-size:23px;line-height:1.25;font-weight:650;letter-spacing:-.012em;margin:4px 0 2px}
    .card.off .big{color:var(--soft);font-weight:500}
    .card p{font-size:14px;line-height:1.45;margin:0 0 10px}
    .card .at{color:var(--soft);margin:auto 0 0}
    .meter{display:block;width:100%;height:12px;margin:4px 0 2px}
    .card .scale{color:var(--soft);font-size:12.5px;margin:0 0 8px}
    .meter .all{fill:var(--rule)}
    .meter .part{fill:var(--accent)}
    .meter .tick{stroke:var(--fg);stroke-width:1.6}
    nav{font-size:14px;margin-top:22px;color:var(--soft)}
    nav a{margin-right:14px;white-space:nowrap;display:inline-block;padding:2px 0}
    .warnings{margin:0;padding:0;list-style:none;max-width:84ch}
    .warnings li{padding:7px 0 7px 30px;position:relative;border-bottom:1px solid var(--rule)}
    .warnings li::before{content:"!";position:absolute;left:4px;top:9px;width:17px;height:17px;border-radius:50%;
    border:1.5px solid var(--leak);color:var(--leak);font:700 12px/15px system-ui,sans-serif;text-align:center}
    .warnings .note::before{content:"i";border-color:var(--calm);color:var(--calm)}
    .charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,300px),1fr));gap:14px 22px;margin:10px 0}
    figure{margin:0;min-width:0}
    figcaption{font-size:14px;font-weight:600;line-height:1.35}
    figure svg{display:block;width:100%;max-width:440px;height:auto}
    text{fill:var(--soft);font-size:11px}
    .shared{position:absolute;width:0;height:0}
    .e{text-anchor:end}
    .m{text-anchor:middle}
    path{fill:none}
    .grid{stroke:var(--rule);stroke-width:1}
    .zero{stroke:var(--soft);stroke-width:1}
    .line{stroke:var(--accent);stroke-width:1.8;stroke-linejoin:round}
    .band{fill:var(--band);opacity:.6}
    .whisker{stroke:var(--accent);stroke-width:1.2}
    .mark{stroke:var(--accent);stroke-width:6.5;stroke-linecap:round}
    .hollow{stroke:var(--bg);stroke-width:3.4;stroke-linecap:round}
    .nullband{fill:var(--null);opacity:.28}
    .nullmean{stroke:var(--null);stroke-width:1.2}
    .ceiling{stroke:var(--leak);stroke-width:1.4;stroke-dasharray:7 4}
    .chance{stroke:var(--fg);stroke-width:1.4;stroke-dasharray:1.5 3.5}
    .legend{list-style:none;display:flex;flex-wrap:wrap;gap:3px 20px;margin:8px 0;padding:0;font-size:13.5px;
    color:var(--soft)}
    .legend li{display:flex;align-items:center;gap:7px}
    .legend svg{width:34px;height:14px;flex:none}
    .swatch,.ramp span{display:inline-block;width:22px;height:14px;flex:none}
    .ramp{display:inline-flex}
    .ramp span{width:14px}
    details{margin:8px 0}
    summary{cursor:pointer;color:var(--accent);font-size:14.5px;padding:3px 0;width:fit-content}
    .scroll{overflow-x:auto;max-width:100%;margin:8px 0}
    table{border-collapse:collapse;font-size:13.5px;line-height:1.35}
    .cap{font-size:13.5px;color:var(--soft);margin:0}
    caption{text-align:left;color:var(--soft);padding:0 0 6px;max-width:74ch}
    th,td{padding:4px 10px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--rule)}
    th{font-weight:600}
    th:first-child,td:first-child{text-align:left;padding-left:0}
    tbody th{position:sticky;left:0;background:var(--bg);font-weight:500;max-width:260px;white-space:normal;
    min-width:96px;overflow-wrap:break-word}
    td i{display:block;font-style:normal;font-size:12px;color:var(--soft)}
    .map{border-collapse:separate;border-spacing:2px}
    .map th,.map td{border:0;padding:4px 8px}
    .map th:first-child{padding-left:0;min-width:96px}
    .map tbody td{text-align:center;min-width:52px;border-radius:3px}
    .map thead th:not(:first-child){text-align:center}
    .map thead th{font-weight:500;color:var(--soft)}
    .map tfoot td{text-align:center;color:var(--soft)}
    .map tfoot th{text-align:left;font-weight:500;color:var(--soft);position:sticky;left:0;background:var(--bg)}
    .null{color:var(--soft);background:repeating-linear-gradient(135deg,var(--panel) 0 5px,var(--rule) 5px 6px)}
    .map .none{color:var(--soft)}
    .h0{background:var(--h0);color:var(--hl)}.h1{background:var(--h1);color:var(--hl)}
    .h2{background:var(--h2);color:var(--hl)}.h3{background:var(--h3);color:var(--hl)}
    .h4{background:var(--h4);color:var(--hl)}.h5{background:var(--h5);color:var(--hd)}
    .h6{background:var(--h6);color:var(--hd)}.h7{background:var(--h7);color:var(--hd)}
    .terms{margin:0;display:grid;gap:12px;max-width:78ch}
    .terms dd{color:var(--fg)}
    .facts{display:grid;grid-template-columns:max-content 1fr;gap:4px 22px;margin:8px 0;font-size:14.5px}
    .facts dt{font-weight:500;color:var(--soft)}
    code,pre{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace;font-size:13px}
    pre{background:var(--panel);border:1px solid var(--rule);border-radius:8px;padding:12px 14px;overflow-x:auto;
    margin:6px 0;max-height:460px;overflow-y:auto;white-space:pre}
    .figures caption{font-weight:600;color:var(--fg);padding-top:14px}
    .figures td:last-child,.figures th:last-child{text-align:left}
    .figures tbody th{max-width:none;padding-top:12px;font-weight:600;position:static}
    footer{margin-top:44px;color:var(--soft);font-size:13.5px}
    @media (max-width:560px){.cards{grid-template-columns:1fr}.page{padding:16px 16px 48px}.verdict{padding:18px 16px 16px}
    .act div,.facts{grid-template-columns:1fr}.facts dd{margin-bottom:6px}tbody th{max-width:128px;overflow-wrap:anywhere}}
    @media print{:root{--bg:#fff;--fg:#000;--soft:#444;--rule:#ccc}body{font-size:11pt}.page{max-width:none;padding:0}
    nav,summary{display:none}details::details-content{content-visibility:visible;display:block}
    .scroll,pre{overflow:visible;max-height:none}.card,figure,.verdict,tr{break-inside:avoid}
    *{print-color-adjust:exact;-webkit-print-color-adjust:exact}}

    """
}
