"""keyed state of feeds: one row a watched id, item or profile"""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('state_rows',
    sa.Column('account', BIG, nullable=False),
    sa.Column('feed', sa.String(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.Column('revision', BIG, nullable=False),
    sa.Column('rank', sa.Integer(), nullable=False),
    sa.Column('due', BIG, nullable=False),
    sa.Column('heard', BIG, nullable=False),
    sa.Column('about', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('account', 'feed', 'key')
    )
    with op.batch_alter_table('state_rows', schema=None) as batch_op:
        batch_op.create_index('state_rows_due', ['account', 'feed', 'rank', 'due'], unique=False, sqlite_where=sa.text('due > 0'))


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: `connector db restore`")
