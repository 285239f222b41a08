"""Coverage as data for programs."""

from __future__ import annotations

from rxcalc.coverage.model import Coverage, Share


def document(coverage: Coverage) -> dict[str, object]:
    """Total, kinds and every item."""
    return {
        "total": _share(coverage.total),
        "kinds": {kind: _share(share) for kind, share in coverage.kinds.items()},
        "items": [
            {
                "kind": item.kind,
                "name": item.name,
                "level": item.level,
                "what": item.what,
                "where": {"file": item.place.file, "line": item.place.line},
                "covered": bool(count),
                "examples": count,
            }
            for item, count in zip(coverage.items, coverage.counts, strict=True)
        ],
    }


def _share(share: Share) -> dict[str, object]:
    return {"covered": share.covered, "of": share.of, "percent": share.percent}
