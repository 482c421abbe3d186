# Plausible mistakes for each exercise of notebook 06b; the exercise's check must reject them.

# %% 6b.1 gives each factor's own value instead of the other's
def by_hand():
    return 12, 5, 41

# %% 6b.1 overwrites at u: 3 * at_p + at_q → 3 * at_p

# %% 6b.1 forgets the factor 3 on the way to u: 3 * at_p + at_q → at_p + at_q

# %% 6b.1 gives the values
def by_hand():
    return 12, 5, 4

# %% 6b.2 lists a node once for every path
def topological_order(root):
    order = []
    for parent, _ in root.parents:
        order += topological_order(parent)
    return order + [root]

# %% 6b.2 forgets the root: return sorted(found, → return sorted(found - {root},

# %% 6b.2 children first: key=lambda node: node.born) → key=lambda node: -node.born)

# %% 6b.2 in the order of discovery
def topological_order(root):
    order, waiting = [], [root]
    while waiting:
        node = waiting.pop(0)
        if node not in order:
            order.append(node)
            waiting += [parent for parent, _ in node.parents]
    return order[::-1]

# %% 6b.2 only the parents, not what they were made from
def topological_order(root):
    return sorted({root} | {parent for parent, _ in root.parents}, key=lambda node: node.born)

# %% 6b.2 notes a node before its parents
def topological_order(root):
    order = []

    def visit(node):
        if node not in order:
            order.insert(0, node)
            for parent, _ in node.parents:
                visit(parent)

    visit(root)
    return order

# %% 6b.3 sets instead of adding: parent.grad + share(node.grad) → share(node.grad)

# %% 6b.3 never begins at 0: node.grad = np.zeros_like(node.value) → pass

# %% 6b.3 walks from the inputs: reversed(order) → order

# %% 6b.3 begins with zeros at the root: np.ones_like(root.value) → np.zeros_like(root.value)

# %% 6b.3 a root of one number only: np.ones_like(root.value) → 1.0

# %% 6b.3 passes on deep before complete
def sweep(root):
    for node in topological_order(root):
        node.grad = np.zeros_like(node.value)
    root.grad = np.ones_like(root.value)
    waiting = [root]
    while waiting:
        node = waiting.pop()
        for parent, share in node.parents:
            parent.grad = parent.grad + share(node.grad)
            waiting.append(parent)

# %% 6b.4 gives each factor itself: (left, lambda g: g * right.value) → (left, lambda g: g * left.value)

# %% 6b.4 the product without the gradient: lambda g: g * right.value → lambda g: right.value

# %% 6b.4 forgets a transpose: left.value.T @ g → left.value @ g

# %% 6b.4 multiplies a matrix product entry by entry
def mul(left, right):
    return Tensor(left.value * right.value, [
        (left, lambda g: g * right.value), (right, lambda g: g * left.value)])


def matmul(left, right):
    return Tensor(left.value @ right.value, [
        (left, lambda g: g * right.value.T), (right, lambda g: left.value.T * g)])


def relu(x):
    return Tensor(np.maximum(x.value, 0), [(x, lambda g: g * (x.value > 0))])

# %% 6b.4 lets a gradient pass at 0: (a > 0) → (a >= 0)

# %% 6b.4 passes a gradient where the gradient is positive: g * (a > 0) → g * (g > 0)

# %% 6b.4 leaves the record with the arrays: np.maximum(x.value, 0) → np.maximum(x.value, 0.01 * x.value)

# %% 6b.4 returns arrays
def mul(left, right):
    return left.value * right.value


def matmul(left, right):
    return left.value @ right.value


def relu(x):
    return np.maximum(x.value, 0)

# %% 6b.4 a share that changes the gradient it was given
def mul(left, right):
    def to_left(g):
        g *= right.value
        return g
    return Tensor(left.value * right.value, [(left, to_left), (right, lambda g: g * left.value)])


def matmul(left, right):
    return Tensor(left.value @ right.value, [
        (left, lambda g: g @ right.value.T), (right, lambda g: left.value.T @ g)])


def relu(x):
    a = np.maximum(x.value, 0)
    return Tensor(a, [(x, lambda g: g * (a > 0))])

# %% 6b.4 a ReLU that overwrites its input
def mul(left, right):
    return Tensor(left.value * right.value, [
        (left, lambda g: g * right.value), (right, lambda g: g * left.value)])


def matmul(left, right):
    return Tensor(left.value @ right.value, [
        (left, lambda g: g @ right.value.T), (right, lambda g: left.value.T @ g)])


def relu(x):
    a = x.value
    a[a < 0] = 0
    return Tensor(a, [(x, lambda g: g * (a > 0))])

# %% 6b.5 only the axes in front
def unbroadcast(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    return grad

# %% 6b.5 loses the axes of length 1: , keepdims=True → , keepdims=False

# %% 6b.5 means instead of sums: grad = grad.sum(axis=0) → grad = grad.mean(axis=0)

# %% 6b.5 always sums the rows
def unbroadcast(grad, shape):
    return grad.sum(axis=0).reshape(shape)

# %% 6b.5 takes the first use
def unbroadcast(grad, shape):
    while grad.ndim > len(shape):
        grad = grad[0]
    return grad[tuple(slice(1) if n == 1 else slice(None) for n in shape)]

# %% 6b.6 forgets the bypass: k = h + relu( → k = relu(

# %% 6b.6 computes with the values, outside the record
def with_bypass(theta, X):
    W1, b1, W2, b2, W3, b3 = theta
    h = np.maximum(X @ W1.value + b1.value, 0)
    k = Tensor(h) + relu(h @ W2 + b2)
    return k @ W3 + b3

# %% 6b.6 adds the bypass before the ReLU: k = h + relu(h @ W2 + b2) → k = relu(h + h @ W2 + b2)

# %% 6b.6 a ReLU on the scores: return k @ W3 + b3 → return relu(k @ W3 + b3)

# %% 6b.6 uses the first bias twice: relu(h @ W2 + b2) → relu(h @ W2 + b1)

# %% 6b.10a forgets the bypass in the gradient: g + (g * (z > 0)) @ W.value.T → (g * (z > 0)) @ W.value.T

# %% 6b.10a forgets ReLU's slope: (g * (z > 0)).sum(axis=0) → g.sum(axis=0)

# %% 6b.10a leaves W untransposed: @ W.value.T → @ W.value

# %% 6b.10a leaves the bias out of the pre-activation: X.value @ W.value + b.value → X.value @ W.value

# %% 6b.10a adds the bypass to the weights as well: X.value.T @ (g * (z > 0)) → X.value.T @ (g * (z > 0) + g)

# %% 6b.10b treats the mean and the spread as constants: g - row_mean(g) - u * row_mean(g * u) → g

# %% 6b.10b forgets the path through the spread: - u * row_mean(g * u) → - 0 * u

# %% 6b.10b normalizes columns, as batch normalization does: axis=1 → axis=0

# %% 6b.10b leaves epsilon out: + 1e-5 → + 0
