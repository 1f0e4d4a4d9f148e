"""The tables, as steps. A step that was released is never changed; a new one follows.

A newer file than this list knows is used as it is: steps only add.
"""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE model_facts (
            path TEXT PRIMARY KEY,
            size INTEGER NOT NULL,
            modified INTEGER NOT NULL,
            facts BLOB,
            problem TEXT
        )
        """,
        """
        CREATE TABLE downloads (
            id TEXT PRIMARY KEY,
            record BLOB NOT NULL
        )
        """,
        """
        CREATE TABLE memory_estimates (
            path TEXT NOT NULL,
            size INTEGER NOT NULL,
            modified INTEGER NOT NULL,
            options BLOB NOT NULL,
            estimate BLOB NOT NULL,
            PRIMARY KEY (path, options)
        )
        """,
    ),
    (
        """
        CREATE TABLE conversations (
            id TEXT PRIMARY KEY,
            user TEXT NOT NULL,
            title TEXT NOT NULL,
            model TEXT,
            system TEXT NOT NULL,
            options BLOB NOT NULL,
            created INTEGER NOT NULL,
            updated INTEGER NOT NULL,
            revision INTEGER NOT NULL,
            head TEXT
        )
        """,
        "CREATE INDEX conversations_of_user ON conversations (user, updated)",
        # Numbers are never used twice: the search index may lag behind this table.
        """
        CREATE TABLE messages (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            conversation TEXT NOT NULL,
            parent TEXT,
            depth INTEGER NOT NULL,
            role TEXT NOT NULL,
            content TEXT NOT NULL,
            details BLOB NOT NULL,
            created INTEGER NOT NULL
        )
        """,
        "CREATE INDEX messages_of_conversation ON messages (conversation, parent)",
        "CREATE INDEX messages_after ON messages (parent)",
        """
        CREATE TABLE prompts (
            id TEXT PRIMARY KEY,
            user TEXT NOT NULL,
            name TEXT NOT NULL,
            template TEXT NOT NULL,
            model TEXT,
            options BLOB NOT NULL,
            version INTEGER NOT NULL,
            updated INTEGER NOT NULL,
            UNIQUE (user, name)
        )
        """,
        """
        CREATE TABLE keys (
            id TEXT PRIMARY KEY,
            user TEXT NOT NULL,
            hash BLOB NOT NULL UNIQUE,
            terms BLOB NOT NULL,
            prefix TEXT NOT NULL,
            created INTEGER NOT NULL,
            last_used INTEGER
        )
        """,
    ),
)
