"""no index of events by time alone: that of names and times serves, and each costs every event that comes in"""

from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('events', schema=None) as batch_op:
        batch_op.drop_index('events_at')


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: `connector db restore`")
