"""runs that wait for lookups, and what these found"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('answers',
    sa.Column('run', BIG, nullable=False),
    sa.Column('event', BIG, nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=True),
    sa.PrimaryKeyConstraint('run')
    )
    with op.batch_alter_table('answers', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_answers_event'), ['event'], unique=False)

    op.create_table('waiting_keys',
    sa.Column('memory', sa.String(), nullable=False),
    sa.Column('account', BIG, nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('run', BIG, nullable=False),
    sa.PrimaryKeyConstraint('memory', 'account', 'key', 'run')
    )
    with op.batch_alter_table('waiting_keys', schema=None) as batch_op:
        batch_op.create_index('waiting_keys_run', ['run'], unique=False)

    op.create_table('waiting_runs',
    sa.Column('seq', BIG, autoincrement=True, nullable=False),
    sa.Column('event', BIG, nullable=False),
    sa.Column('account', BIG, nullable=False),
    sa.Column('recipe', sa.String(), nullable=False),
    sa.Column('version', sa.String(), nullable=False),
    sa.Column('refire', sa.Integer(), nullable=False),
    sa.Column('at', BIG, nullable=False),
    sa.Column('since', BIG, nullable=False),
    sa.Column('lane', BIG, nullable=False),
    sa.Column('due', BIG, nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('failing', BIG, nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('asked', sa.Text(), nullable=False),
    sa.Column('answers', sa.LargeBinary(), nullable=True),
    sa.PrimaryKeyConstraint('seq')
    )
    with op.batch_alter_table('waiting_runs', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_waiting_runs_event'), ['event'], unique=False)
        batch_op.create_index('waiting_runs_due', ['due', 'seq'], unique=False)
        batch_op.create_index('waiting_runs_lane', ['lane', 'seq'], unique=False)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: `connector db restore`")
