"""Asking the API as a service does."""


def read(client, path, status=200, **asked):
    answer = client.get(f"/api{path}", asked)
    assert answer.status_code == status, answer.content[:500]
    return answer.json()


def pages(client, path, **asked):
    """All items of a long answer."""
    found, after = [], 0
    while after is not None:
        page = read(client, path, after=after, **asked)
        assert len(page["items"]) <= asked.get("limit", 100)
        found += page["items"]
        after = page["next"]
    return found
