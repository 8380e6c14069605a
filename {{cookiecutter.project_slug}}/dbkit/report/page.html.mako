<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>Migrations of ${content.service}</title>
<style>
:root {
  --page: #f4f6f9; --card: #fff; --text: #17202e; --quiet: #54627a; --line: #d9e0ea;
  --applied: #15803d; --pending: #b45309; --failed: #c22727; --work: #2f6fde; --wait: #e9a23b; --graph: #8b99ae;
  --applied-tint: #e2f4e8; --pending-tint: #fdf0da; --failed-tint: #fde8e8; --quiet-tint: #e9edf3;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e141d; --card: #171f2b; --text: #e3e8f0; --quiet: #9aa8bd; --line: #2b3647;
    --applied: #5cc981; --pending: #f0b354; --failed: #f58a8a; --work: #6ea1f7; --wait: #e9a23b; --graph: #617089;
    --applied-tint: #153122; --pending-tint: #38290f; --failed-tint: #3d1c20; --quiet-tint: #253041;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 60rem; margin: 0 auto; padding: 1.25rem 1rem 3rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 0 0 .75rem; }
p { margin: .25rem 0; }
code, .mono { font: .85em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.revision code { margin-right: .4rem; } .when { white-space: nowrap; }
.quiet { color: var(--quiet); font-size: .875rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1rem; margin-top: 1rem; }
.figures { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0 0; padding: 0; }
.figures div { flex: 1 1 6.5rem; background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: .6rem .9rem; }
.figures dt { color: var(--quiet); font-size: .8rem; }
.figures dd { margin: 0; font-size: 1.5rem; font-weight: 650; line-height: 1.3; font-variant-numeric: tabular-nums; }
.applied { color: var(--applied); } .pending { color: var(--pending); } .failed { color: var(--failed); }
.notice { border-left: 4px solid var(--pending); background: var(--pending-tint); border-radius: 8px; padding: .6rem .9rem; margin: 1rem 0 0; }
.notice.bad { border-color: var(--failed); background: var(--failed-tint); }
.notice ul { margin: .25rem 0 0; padding-left: 1.1rem; }
.chip { display: inline-block; border-radius: 999px; padding: 0 .55rem; font-size: .75rem; line-height: 1.6; background: var(--quiet-tint); color: var(--quiet); white-space: nowrap; }
.chip.applied { background: var(--applied-tint); color: var(--applied); }
.chip.pending { background: var(--pending-tint); color: var(--pending); }
.chip.failed { background: var(--failed-tint); color: var(--failed); }
.chip.here { background: var(--text); color: var(--card); }
ol, ul.plain { list-style: none; margin: 0; padding: 0; }
summary { cursor: pointer; color: var(--quiet); font-size: .875rem; padding: .4rem 0; }

/* A row of the graph: its lines stretch with the text beside them. */
.revision { display: grid; grid-template-columns: var(--graph-width) minmax(0, 1fr); column-gap: .75rem; }
.lanes { position: relative; }
.lanes svg { position: absolute; left: 0; top: -.5px; width: 100%; height: calc(100% + 1px); overflow: visible; }
.lanes path { fill: none; stroke: var(--graph); stroke-width: 2; vector-effect: non-scaling-stroke; }
.dot { position: absolute; top: 50%; width: 12px; height: 12px; margin: -6px 0 0 -6px; border-radius: 50%; border: 2.5px solid var(--graph); background: var(--card); }
.dot.applied { border-color: var(--applied); background: var(--applied); }
.dot.pending { border-color: var(--pending); }
.revision > div:last-child { padding: .45rem 0; min-width: 0; }

.strip { position: relative; height: 84px; margin: 0 .5rem; border-bottom: 2px solid var(--line); }
.strip i { position: absolute; bottom: 0; width: 8px; margin-left: -4px; border-radius: 3px 3px 0 0; overflow: hidden; background: var(--work); }
.strip i b { position: absolute; inset: 0 0 auto; background: var(--wait); }
.strip i.failed { background: var(--failed); }
.ends { display: flex; justify-content: space-between; gap: 1rem; margin: .25rem 0 .5rem; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin-bottom: .75rem; }
.legend i { display: inline-block; width: .7rem; height: .7rem; border-radius: 3px; margin-right: .35rem; }
.run { position: relative; padding: 0 0 1rem 1.5rem; border-left: 2px solid var(--line); margin-left: 5px; }
.run:last-child { padding-bottom: 0; }
.run::before { content: ""; position: absolute; left: -7px; top: .4rem; width: 12px; height: 12px; border-radius: 50%; background: var(--applied); }
.run.bad::before { background: var(--failed); }
.bar { display: flex; height: 8px; margin: .35rem 0; border-radius: 4px; overflow: hidden; background: var(--quiet-tint); }
.bar i { background: var(--work); } .bar i.wait, .legend .wait { background: var(--wait); } .legend .work { background: var(--work); }
.bar.bad i.work { background: var(--failed); } .legend .bad { background: var(--failed); }
.item { border-top: 1px solid var(--line); padding: .6rem 0; } .item:first-child { border-top: 0; padding-top: 0; } .item:last-child { padding-bottom: 0; }
pre { margin: .35rem 0 0; padding: .6rem .75rem; background: var(--quiet-tint); border-radius: 8px; white-space: pre-wrap; overflow-wrap: anywhere; font: .82rem/1.5 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
</style>
</head>
<body>
<main>
<header>
  <h1>Migrations of ${content.service}</h1>
  <p class="quiet">Database ${content.database} · environment ${content.environment} · as of <time datetime="${content.made_at.isoformat()}">${f"{content.made_at:%Y-%m-%d %H:%M}"}</time>, all times in UTC</p>
  % if content.unavailable:
  <p class="notice bad"><strong>The database cannot be read,</strong> so only the revisions of this code are shown: ${content.unavailable}</p>
  % endif
  % if content.strangers:
  <p class="notice"><strong>The database stands at ${", ".join(content.strangers)},</strong> of which this code has no file: newer code, or another branch, has migrated it.</p>
  % endif
  % if content.report.problems:
  <div class="notice bad"><strong>Speaks against a deployment:</strong>
    <ul>
    % for message in content.report.messages:
      <li>${message.replace("listed above", "listed below")}</li>
    % endfor
    </ul>
  </div>
  % endif
  <dl class="figures">
  % if content.unavailable:
    <div><dt>revisions</dt><dd>${len(content.revisions)}</dd></div>
  % else:
    <div><dt>applied</dt><dd class="applied">${states["applied"]}</dd></div>
    <div><dt>pending</dt><dd class="${"pending" if states["pending"] else ""}">${states["pending"]}</dd></div>
    <div><dt>runs</dt><dd>${len(runs) + more_runs}</dd></div>
    <div><dt>failures</dt><dd class="${"failed" if failures else ""}">${len(failures) + more_failures}</dd></div>
    <div><dt>drifted objects</dt><dd class="${"failed" if drift else ""}">${"?" if content.report.drift is None else len(drift) + more_drift}</dd></div>
  % endif
  </dl>
</header>

<section id="revisions" style="--graph-width: min(${lanes * 18}px, 30vw)">
  <h2>Revisions</h2>
  % if not revisions:
  <p class="quiet">There is no revision yet.</p>
  % endif
  <ol>
  % for revision, row in revisions[:opened]:
    ${self.revision(revision, row)}
  % endfor
  </ol>
  % if revisions[opened:]:
  <details>
    <summary>${len(revisions) - opened} older revisions</summary>
    <ol>
    % for revision, row in revisions[opened:]:
      ${self.revision(revision, row)}
    % endfor
    </ol>
  </details>
  % endif
</section>

% if not content.unavailable:
<section id="drift">
  <h2>Drift</h2>
  % if content.unknown:
  <p>The comparison has not come to its end: ${content.unknown}</p>
  % endif
  % if content.report.drift is None:
  <p class="quiet">What the database holds was not compared with what its revisions build.</p>
  % elif not drift:
  <p>The database is what its revisions build.</p>
  % else:
  <p class="quiet">What differs from what the revisions build:</p>
  <ul class="plain">
  % for one in drift:
    <li class="item">
      <code>${one["object"]}</code>
      % if one["only_in"]:
      <span class="chip failed">only in the ${one["only_in"]}</span>
      % else:
      <span class="chip failed">other ${", ".join(one["facets"])}</span>
      % endif
      % if one["changed_since"]:
      <p class="quiet">changed by hand since the run of ${one["changed_since"]}</p>
      % endif
      % if one["mend"]:
      <details><summary>SQL that would mend it</summary><pre>${"\n".join(one["mend"])}</pre></details>
      % elif one["instead"]:
      <p class="quiet">${one["instead"]}</p>
      % endif
    </li>
  % endfor
  </ul>
  % if more_drift:
  <p class="quiet">and ${more_drift} more: <code>make migration-check</code> lists them</p>
  % endif
  % endif
  % if content.report.models:
  <details><summary>The models differ from the revisions</summary><pre>${"\n".join(content.report.models)}</pre></details>
  % endif
</section>

<section id="failures">
  <h2>Failures</h2>
  % if not failures:
  <p>No revision has failed.</p>
  % endif
  <ul class="plain">
  % for one in failures:
    <li class="item">
      <strong>${messages.get(one.row.revision, one.row.revision)}</strong>
      <span class="chip ${"applied" if one.later else "failed"}">${f"succeeded {date(one.later)}" if one.later else "has not succeeded since"}</span>
      <p class="quiet">${one.row.direction} <code>${one.row.revision}</code> · ${date(one.row)} · ${one.row.executed_by}@${one.row.host}</p>
      <pre>${one.row.error or "without a reason"}</pre>
    </li>
  % endfor
  </ul>
  % if more_failures:
  <p class="quiet">and ${more_failures} older ones</p>
  % endif
</section>

<section id="runs">
  <h2>Runs</h2>
  % if not runs:
  <p class="quiet">Nothing ran here since the history began.</p>
  % else:
  <div class="strip" aria-hidden="true">
  % for mark in marks:
    <i class="${"failed" if mark.run.has_failed else ""}" style="left: ${f"{mark.left:.2f}"}%; height: ${f"{mark.height:.1f}"}%"><b style="height: ${f"{mark.waited:.1f}"}%"></b></i>
  % endfor
  </div>
  <div class="ends quiet"><span>${date(runs[-1].rows[0])}</span>${self.last_date(runs)}</div>
  <div class="legend quiet"><span><i class="work"></i>work</span><span><i class="wait"></i>waiting for locks</span><span><i class="bad"></i>failed</span></div>
  <ol>
  % for run in runs:
    <li class="run ${"bad" if run.has_failed else ""}">
      <strong>${date(run.rows[0])}</strong>
      <span class="chip ${"failed" if run.has_failed else "applied"}">${run.title}${", failed" if run.has_failed else ""}</span>
      <div class="bar ${"bad" if run.has_failed else ""}"><i class="wait" style="width: ${share(run.lock_wait)}"></i><i class="work" style="width: ${share(run.duration)}"></i></div>
      <p>${" · ".join(measures(run))}</p>
      % if len(run.rows) == 1:
      ${self.step(run.rows[0], 1)}
      % else:
      <details><summary>${len(run.rows)} revisions</summary>
        % for row in run.rows:
        ${self.step(row, len(run.rows))}
        % endfor
      </details>
      % endif
      <p class="quiet">${run.rows[0].executed_by}@${run.rows[0].host} · ${run.rows[0].environment} · version ${run.rows[0].app_version}</p>
    </li>
  % endfor
  </ol>
  % if more_runs:
  <p class="quiet">and ${more_runs} older ones: <code>make migration-log</code> lists them</p>
  % endif
  % endif
</section>
% endif
</main>
</body>
</html>
<%def name="revision(one, row)">
    <li class="revision">
      <div class="lanes" aria-hidden="true">
        <svg viewBox="0 0 ${lanes} 2" preserveAspectRatio="none"><path d="${self.lines(row)}"/></svg>
        <i class="dot ${one.state}" style="left: ${f"{(row.lane + .5) / lanes * 100:.2f}"}%"></i>
      </div>
      <div>
        <strong>${one.message}</strong>
        % if not content.unavailable:
        <span class="chip ${one.state}">${one.state}</span>
        % endif
        % if one.is_current:
        <span class="chip here">database</span>
        % endif
        % if one.is_head:
        <span class="chip">head</span>
        % endif
        % for label in one.labels:
        <span class="chip">${label}</span>
        % endfor
        <div class="quiet"><code>${one.name}</code>
        % if one.row:
        <span class="when">${done[one.row.direction]} ${date(one.row)}</span>
        % endif
        </div>
      </div>
    </li>
</%def>
<%def name="lines(row)"><%
    middle = row.lane + .5
    parts = [f"M{lane + .5} 0V2" for lane in row.passing]
    parts += [f"M{lane + .5} 0C{lane + .5} .6 {middle} .4 {middle} 1" for lane in row.above]
    parts += [f"M{middle} 1C{middle} 1.6 {lane + .5} 1.4 {lane + .5} 2" for lane in row.below]
%>${" ".join(parts)}</%def>
<%def name="step(row, steps)">
      <p>${messages.get(row.revision, "")} <code class="quiet">${row.revision}</code>
      % if steps > 1:
      <span class="quiet">${row.direction}, ${took(row.duration)}</span>
      % endif
      % if row.outcome == "failed":
      <span class="failed">failed: ${row.error or "without a reason"}</span>
      % endif
      </p>
</%def>
<%def name="last_date(runs)">
  % if len(runs) > 1:
  <span>${date(runs[0].rows[0])}</span>
  % endif
</%def>
